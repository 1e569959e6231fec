/** Files that could not be loaded, in Vite's terminal and in the overlay of pages. */

import { stripVTControlCharacters } from 'node:util'

import type { ViteDevServer } from 'vite'

import type { Log } from '../log/log.js'
import { pathBelow } from '../files/find.js'
import { errorText } from '../values/error.js'

/** Where something is in a file; columns begin with 0. */
interface Place {
  file?: string
  line: number
  column: number
}

/** What Vite adds to an error: where it is, and the lines around it. */
interface LoadError extends Error {
  id?: string
  loc?: Place
  frame?: string
  plugin?: string
  /** What the compiler says: esbuild up to Vite 7, where the text is `text`, and Oxc since, whose message has the lines too. */
  errors?: { text?: string; message?: string; loc?: Place }[]
}

/** The problems that there are now, by file. */
export class Problems {
  readonly #server: ViteDevServer
  readonly #log: Log
  readonly #byFile = new Map<string, string>()

  constructor(server: ViteDevServer, log: Log) {
    this.#server = server
    this.#log = log
  }

  /** Reports what is wrong with a file; `isServed`: what it was before is still served. */
  found(file: string, path: string, error: unknown, isServed: boolean): void {
    const { message, loc, frame } = describe(error)
    const about = message.startsWith(path) ? message : `${path}: ${message}`
    const line = `${about}${isServed ? '; its handlers from before go on' : ''}`
    if (this.#byFile.get(file) === line + frame) return
    this.#byFile.set(file, line + frame)
    const where = loc && `    at ${pathBelow(this.#server.config.root, loc.file ?? file)}:${loc.line}:${loc.column + 1}`
    const stack = where === undefined ? this.#log.stackOf(error) : undefined
    this.#log.writeWith('error', line, [where, frame].filter(Boolean).join('\n'), stack)
    this.#show(error, about, frame, loc)
  }

  /** The file is good, or gone. */
  solved(file: string): void {
    if (!this.#byFile.delete(file) || this.#byFile.size > 0) return
    // An update without modules takes the overlay away.
    this.#server.environments.client.hot.send({ type: 'update', updates: [] })
  }

  /** Says something that is no error. */
  warn(line: string): void {
    this.#log.write('warn', line)
  }

  #show(error: unknown, message: string, frame: string, loc: Place | undefined): void {
    const { hot } = this.#server.environments.client
    const { id, plugin = 'vite-plugin-switchboard', stack = '' } = (error instanceof Error ? error : {}) as LoadError
    // A page reloads itself at its first update if it shows an overlay then; this is its first.
    hot.send({ type: 'update', updates: [] })
    const at = loc && { ...loc, file: loc.file ?? id }
    hot.send({ type: 'error', err: { message, stack: stripVTControlCharacters(stack), id, loc: at, frame, plugin } })
  }
}

function describe(error: unknown): { message: string; loc: Place | undefined; frame: string } {
  const { errors, ...own } = (error instanceof Error ? error : {}) as Partial<LoadError>
  const [inner] = errors ?? []
  const text = stripVTControlCharacters(inner?.text ?? inner?.message ?? errorText(error))
  const [message, ...lines] = text.split('\n') as [string, ...string[]]
  return {
    message: message.replace(/^\[\w+\] /, ''),
    loc: own.loc ?? inner?.loc,
    frame: stripVTControlCharacters(own.frame ?? lines.join('\n')).trimEnd(),
  }
}
