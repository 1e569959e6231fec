/** Reads golden transcripts and compares JSON as they do; `core/tests/transcripts/README.md` describes them. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** What should come next. */
export type Expected =
  | { kind: 'json' | 'text' | 'ping' | 'pong'; text: string }
  | { kind: 'binary'; bytes: Buffer }
  | { kind: 'close'; code: number; reason: string | undefined }
  | { kind: 'broken'; damage: string }

/** A path, and headers for it. */
export interface Target {
  path: string
  headers: [name: string, value: string][]
}

/** One line of a script. */
export type Step =
  | { verb: 'connects'; who: string; target: Target }
  | { verb: 'gets'; who: string; status: number; target: Target }
  | { verb: 'is-dropped'; who: string; target: Target }
  | { verb: 'says' | 'pings' | 'pongs'; who: string; text: string }
  | { verb: 'says-binary'; who: string; bytes: Buffer }
  | { verb: 'closes'; who: string; code: number | undefined; reason: string }
  | { verb: 'vanishes' | 'hears-nothing'; who: string }
  | { verb: 'hears'; who: string; expected: Expected }
  | { verb: 'wait'; ms: number }
  | { verb: 'http'; method: string; path: string; body: string; status: number; json: string | undefined }

/** One file. */
export interface Transcript {
  name: string
  config: string
  /** Files beside the configuration. */
  files: { name: string; text: string }[]
  /** A handler file that does the same as the configuration's routes. */
  handlers: string | undefined
  steps: { line: number; step: Step }[]
}

/** All transcripts below a folder, in order of their names. */
export function readAll(root: string): Transcript[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.txt'))
  return files.sort().map((file) => read(join(root, file), relative(root, join(root, file))))
}

function read(file: string, name: string): Transcript {
  const text = readFileSync(file, 'utf8')
  const [head, script] = text.split('--- script\n') as [string, string | undefined]
  const [given, handlers] = head.split('--- config\n')[1]?.split('--- handlers\n') ?? []
  const [config, ...parts] = given?.split('--- file ') ?? []
  const files = parts.map((part) => ({ name: part.slice(0, part.indexOf('\n')).trim(), text: part.slice(part.indexOf('\n') + 1) }))
  if (script === undefined || config === undefined) throw new Error(`${name}: needs --- config and --- script`)
  const first = head.split('\n').length + 1
  const steps = script.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return []
    const step = parse(line)
    if (!step) throw new Error(`${name}:${first + index}: not a line: ${line}`)
    return [{ line: first + index, step }]
  })
  return { name, config, files, handlers, steps }
}

function parse(line: string): Step | undefined {
  const [who, verb, rest] = cut(line)
  if (who === 'wait') return { verb: 'wait', ms: Number(verb) }
  if (who === 'http') return parseHttp(verb, rest)
  switch (verb) {
    case 'connects':
      return { verb, who, target: parseTarget(rest) }
    case 'gets': {
      const [status, target] = splitOnce(rest, ' for ')
      return { verb, who, status: Number(status), target: parseTarget(target!) }
    }
    case 'is-dropped':
      return { verb, who, target: parseTarget(rest.slice('for '.length)) }
    case 'says':
    case 'pings':
    case 'pongs':
      return { verb, who, text: rest }
    case 'says-binary':
      return { verb, who, bytes: hex(rest) }
    case 'closes': {
      const [code, reason = ''] = splitOnce(rest, ' ')
      return { verb, who, code: code === '' ? undefined : Number(code), reason }
    }
    case 'vanishes':
    case 'hears-nothing':
      return { verb, who }
  }
  const expected = parseExpected(verb, rest)
  return expected && { verb: 'hears', who, expected }
}

function parseExpected(verb: string, rest: string): Expected | undefined {
  switch (verb) {
    case 'hears':
      return { kind: 'json', text: rest }
    case 'hears-exactly':
      return { kind: 'text', text: rest }
    case 'hears-binary':
      return { kind: 'binary', bytes: hex(rest) }
    case 'is-pinged':
      return { kind: 'ping', text: rest }
    case 'is-ponged':
      return { kind: 'pong', text: rest }
    case 'hears-broken':
      return { kind: 'broken', damage: rest }
    case 'is-closed': {
      const [code, reason] = splitOnce(rest, ' ')
      return { kind: 'close', code: Number(code), reason }
    }
  }
}

function parseHttp(method: string, rest: string): Step {
  const end = rest.lastIndexOf(' = ')
  const [path, body = ''] = splitOnce(rest.slice(0, end), ' ')
  const [status, json] = splitOnce(rest.slice(end + 3), ' ')
  return { verb: 'http', method, path, body, status: Number(status), json }
}

function parseTarget(text: string): Target {
  const [path, headers = ''] = splitOnce(text, ' with ')
  const pairs = headers.split(';').filter((header) => header.trim() !== '')
  return {
    path,
    headers: pairs.map((pair) => {
      const [name, value = ''] = splitOnce(pair, ':')
      return [name.trim(), value.trim()]
    }),
  }
}

function cut(line: string): [string, string, string] {
  const [who, after = ''] = splitOnce(line, ' ')
  const [verb, rest = ''] = splitOnce(after, ' ')
  return [who, verb, rest]
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

/** The values that `<=name>` stands for. */
export class Names {
  readonly #values = new Map<string, unknown>()

  /** `text` with every `<=name>` replaced by the value that was taken. */
  fill(text: string): string {
    return [...this.#values].reduce(
      (filled, [name, value]) => filled.replaceAll(`<=${name}>`, typeof value === 'string' ? value : JSON.stringify(value)),
      text,
    )
  }

  /** Whether `got` is what `wanted` says; takes the values that it names for the first time. */
  matches(wanted: unknown, got: unknown): boolean {
    if (typeof wanted === 'string' && wanted.startsWith('<') && wanted.endsWith('>')) {
      if (wanted === '<any>') return true
      if (wanted === '<string>' || wanted === '<number>') return typeof got === wanted.slice(1, -1)
      if (!wanted.startsWith('<=')) return wanted === got
      const name = wanted.slice(2, -1)
      if (!this.#values.has(name)) this.#values.set(name, got)
      return JSON.stringify(this.#values.get(name)) === JSON.stringify(got)
    }
    if (typeof wanted !== 'object' || wanted === null) return Object.is(wanted, got) || wanted === got
    if (typeof got !== 'object' || got === null || Array.isArray(wanted) !== Array.isArray(got)) return false
    const keys = Object.keys(wanted)
    return (
      keys.length === Object.keys(got).length &&
      keys.every((key) => Object.hasOwn(got, key) && this.matches((wanted as any)[key], (got as any)[key]))
    )
  }
}
