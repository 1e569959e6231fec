/** `switchboard convert`: recordings from and to HAR files. */

import { closeSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { inflateSync } from 'node:zlib'

import { type Unzipped, unzipSync } from 'fflate'

import { createInstance, type Instance } from '../engine/wasm.js'
import { errorText } from '../values/error.js'
import { type Command, read } from './arguments.js'
import { mistake } from './exit.js'
import { systemError } from './system-error.js'

/** How much of a recording is read at once, in bytes. */
const PART = 256 << 10

const CONVERT: Command = {
  name: 'convert',
  options: [
    { name: 'mask', value: 'PATTERN', isList: true },
    { name: 'reveal', conflicts: 'mask' },
  ],
  positionals: ['IN', 'OUT'],
}

type Conversion = InstanceType<Instance['Conversion']>

/** Runs it. What was at OUT is replaced when all went well. */
export function run(words: string[]): void {
  const given = read(CONVERT, words)
  const [input, output] = given.positionals as [string, string]
  const { Conversion } = createInstance()
  const form = extension(output)
  const conversion = told('--mask', () => new Conversion(given.texts('mask'), given.flag('reveal'), form === 'har'))
  if (form !== 'har' && form !== 'jsonl') throw mistake(output, 'expected a name that ends in .jsonl or .har')
  const unfinished = join(dirname(output), `${basename(output)}.unfinished`)
  const writing = <T>(write: () => T): T => told(output, write, (error) => `cannot be written: ${systemError(error)}`)
  const file = writing(() => openSync(unfinished, 'w'))
  try {
    const write = (bytes: Uint8Array): void => writing(() => writeAll(file, bytes))
    convert(conversion, input, Conversion.max_file(), write)
    write(conversion.finish())
    writing(() => renameSync(unfinished, output))
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
  for (const note of JSON.parse(conversion.notes(input)) as string[]) process.stdout.write(`${output}: ${note}\n`)
}

function convert(conversion: Conversion, input: string, limit: number, write: (bytes: Uint8Array) => void): void {
  const reading = <T>(read: () => T): T => told(input, read, (error) => `cannot be read: ${systemError(error)}`)
  const har = (text: Uint8Array, attached: (name: string) => Uint8Array): void => {
    const orWhy = (name: string): Uint8Array | string => {
      try {
        return attached(name)
      } catch (error) {
        return `${name} cannot be read: ${systemError(error)}`
      }
    }
    write(told(input, () => conversion.har(text, orWhy)))
  }
  switch (extension(input)) {
    case 'jsonl':
      return lines(conversion, input, reading, write)
    case 'har': {
      const folder = dirname(input)
      return har(reading(() => readWhole(input, limit)), (name) => readWhole(join(folder, name), limit))
    }
    case 'zhar': {
      const text = reading(() => limited(limit, () => inflateSync(readFileSync(input), { maxOutputLength: limit })))
      return har(text, (name) => {
        throw new Error(`there is no ${name} in it`)
      })
    }
    case 'zip': {
      const files = reading(() => unzip(input, limit))
      const [name, ...others] = Object.keys(files).filter((name) => name.endsWith('.har'))
      if (name === undefined || others.length > 0) throw mistake(input, 'expected one file that ends in .har in it')
      return har(files[name]!, (name) => {
        const bytes = files[name]
        if (bytes === undefined) throw new Error('specified file not found in archive')
        return bytes
      })
    }
    default:
      throw mistake(input, 'expected a name that ends in .jsonl, .har, .zip or .zhar')
  }
}

function lines(conversion: Conversion, input: string, reading: <T>(read: () => T) => T, write: (bytes: Uint8Array) => void): void {
  const file = reading(() => openSync(input, 'r'))
  try {
    const part = Buffer.alloc(PART)
    let length = 0
    do {
      length = reading(() => readSync(file, part))
      write(told(input, () => conversion.lines(part.subarray(0, length))))
    } while (length > 0)
  } finally {
    closeSync(file)
  }
}

/** All of a file, within the limit. */
function readWhole(file: string, limit: number): Uint8Array {
  if (statSync(file).size > limit) throw tooLarge(limit)
  return readFileSync(file)
}

/** What is in a ZIP file: HAR files and what may belong to them, each within the limit. */
function unzip(file: string, limit: number): Unzipped {
  return unzipSync(readWhole(file, limit), {
    filter: ({ originalSize }) => {
      if (originalSize > limit) throw tooLarge(limit)
      return true
    },
  })
}

function limited<T>(limit: number, inflate: () => T): T {
  try {
    return inflate()
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(limit) : error
  }
}

function tooLarge(limit: number): Error {
  return new Error(`it has more than ${limit / 2 ** 20} MiB`)
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.byteLength; ) written += writeSync(file, bytes, written)
}

/** In small letters. */
function extension(path: string): string {
  return extname(path).slice(1).toLowerCase()
}

/** Does something; what it throws is told as a mistake in `what`. */
function told<T>(what: string, run: () => T, message: (error: unknown) => string = errorText): T {
  try {
    return run()
  } catch (error) {
    throw mistake(what, message(error))
  }
}
