/** Where user code threw, in the user's own files. */

import { existsSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How many calls are shown at most; the first ones matter most. */
const MOST = 8

/** How many causes of an error are followed. */
const CAUSES = 2

/** The package's own folder: its calls are of no use to users. */
const OWN = dirname(dirname(fileURLToPath(import.meta.url))) + sep

/** Vite's own code, which runs handler files. */
const VITE = /[\\/]node_modules[\\/]vite\d?[\\/]dist[\\/]node[\\/]/

/** A call in one of V8's stacks: the text before the location, the file or URL, line and column, the text after it. */
const CALL = /^(\s*at (?:.* \()?(?:async )?)(.+?):(\d+):(\d+)(\)?)$/

/**
 * A configuration that Vite bundled: it is written beside the original or below `node_modules`, loaded, and deleted. What
 * maps it to the original stands in its last line.
 */
const BUNDLED = /\.timestamp-[\w-]+\.m?js$/

/** V8's description of a script. */
interface ScriptParsed {
  params: { url: string; sourceMapURL?: string }
}

/** Shows stacks; files below `root` by their path in it. */
export class Stacks {
  readonly #root: string
  /** Corrects the stack of an error, as `ssrFixStacktrace` of Vite does for modules that it loaded. */
  readonly #fix: ((error: Error) => void) | undefined
  /** Of bundled files. */
  readonly #maps = new Map<string, SourceMap | undefined>()

  constructor(root: string, fix?: (error: Error) => void) {
    this.#root = root
    this.#fix = fix
  }

  /** The calls that led to an error, a line each; `undefined` for what has none. */
  of(thrown: unknown): string | undefined {
    try {
      const lines = this.#lines(thrown, CAUSES)
      return lines.length === 0 ? undefined : lines.join('\n')
    } catch {
      // It is for the log alone; an error with a getter that throws must not cost more than the others.
      return undefined
    }
  }

  #lines(thrown: unknown, causes: number): string[] {
    if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return []
    this.#fix?.(thrown)
    // The message stands first, and may hold what a client wrote.
    const { stack, message } = thrown
    const at = stack.indexOf(message)
    const calls = stack.slice(at === -1 ? 0 : at + message.length).split('\n').flatMap((line) => this.#call(line) ?? [])
    const lines = calls.slice(0, MOST)
    if (!(thrown.cause instanceof Error) || causes === 0) return lines
    return [...lines, `    caused by: ${firstLine(thrown.cause.message)}`, ...this.#lines(thrown.cause, causes - 1)]
  }

  /** One call with its place in the file that the user wrote; `undefined` for calls of Node's and of our own. */
  #call(text: string): string | undefined {
    const [, before, written, line, column, behind] = CALL.exec(text) ?? []
    if (before === undefined || written === undefined || written.startsWith('node:')) return undefined
    const file = pathOf(written)
    if (file.startsWith(OWN) || VITE.test(file)) return undefined
    const original = BUNDLED.test(file) ? this.#original(file, Number(line), Number(column)) : undefined
    const [path, ...place] = original ?? [file, line, column]
    return `    ${before.trim()} ${[this.#shown(String(path)), ...place].join(':')}${behind}`.replace('( ', '(')
  }

  #original(file: string, line: number, column: number): [string, number, number] | undefined {
    if (!this.#maps.has(file)) this.#maps.set(file, sourceMapOf(file))
    const entry = this.#maps.get(file)?.findEntry(line - 1, column - 1)
    if (entry === undefined || !('originalSource' in entry)) return undefined
    const { originalSource, originalLine, originalColumn } = entry
    // Bundlers name sources by where they ran, or by where the bundle is.
    const paths = [resolve(pathOf(originalSource)), resolve(dirname(file), pathOf(originalSource))] as const
    const path = existsSync(paths[0]) ? paths[0] : paths[1]
    return [path, originalLine + 1, originalColumn + 1]
  }

  #shown(file: string): string {
    const path = relative(this.#root, file)
    return path.startsWith('..') || path === '' || resolve(path) === path ? file : path
  }
}

function pathOf(fileOrUrl: string): string {
  return fileOrUrl.startsWith('file:') ? fileURLToPath(fileOrUrl) : fileOrUrl
}

function firstLine(text: unknown): string {
  return String(text).split('\n', 1)[0]!
}

/**
 * The source map of a file that was loaded and is gone. Node keeps source maps only if it was told to before; V8 still
 * knows the script's last line, and tells it as it tells a debugger.
 */
function sourceMapOf(file: string): SourceMap | undefined {
  const inspector = process.getBuiltinModule?.('node:inspector')
  if (inspector === undefined) return undefined
  const session = new inspector.Session()
  let address: string | undefined
  try {
    session.connect()
    session.on('Debugger.scriptParsed', ({ params: { url, sourceMapURL } }: ScriptParsed) => {
      if (sourceMapURL && pathOf(url) === file) address = sourceMapURL
    })
    // All scripts that there are, before this returns.
    session.post('Debugger.enable')
  } catch {
    return undefined
  } finally {
    session.disconnect()
  }
  const [, payload] = /^data:application\/json[^,]*;base64,(.*)$/s.exec(address ?? '') ?? []
  return payload === undefined ? undefined : new SourceMap(JSON.parse(Buffer.from(payload, 'base64').toString()))
}
