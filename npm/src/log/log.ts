/** Log lines, and where they go. */

import { randomUUID } from 'node:crypto'

import type { Logger, LogLevel } from '../interface/options.js'
import { shapeOf } from '../values/arguments.js'
import { errorText } from '../values/error.js'
import type { Stacks } from './stack.js'

/** The engine's levels, least important first. */
const ENGINE_LEVELS = ['debug', 'debug', 'info', 'warn', 'error'] as const

const LEVELS: readonly LogLevel[] = ['silent', 'error', 'warn', 'info', 'debug']

/** Whether the variable `DEBUG` names this log, as npm's `debug` reads it. */
export function asksForDebug(names: string | undefined): boolean {
  return (names ?? '').split(/[\s,]+/).some((name) => ['switchboard', 'switchboard:*', '*'].includes(name))
}

/** Writes lines that are important enough, each with the name `switchboard`. */
export class Log {
  readonly #logger: Logger
  readonly #most: number
  readonly #stacks: Stacks | undefined
  /** Stands before a stack that passes the engine with its line. Clients do not know it. */
  readonly #mark = randomUUID()

  /** Throws for what would log nothing. */
  constructor(logger?: Logger | null, level?: LogLevel | null, stacks?: Stacks) {
    this.#stacks = stacks
    this.#logger = logger ?? console
    if ((['info', 'warn', 'error'] as const).some((method) => typeof this.#logger[method] !== 'function')) {
      throw new TypeError(`[switchboard] logger: expected functions info, warn and error, got ${shapeOf(logger)}`)
    }
    this.#most = LEVELS.indexOf(level ?? 'info')
    if (this.#most === -1) throw new Error(`[switchboard] logLevel: expected one of ${LEVELS.join(', ')}, got ${String(level)}`)
  }

  /** Whether lines of the level `debug` are written. */
  get isDebug(): boolean {
    return this.#most >= LEVELS.indexOf('debug')
  }

  /** What to show below what was thrown: the calls that led there, if they are known. For lines of this log alone. */
  stackOf(thrown: unknown): string | undefined {
    const stack = this.#stacks?.of(thrown)
    return stack === undefined ? undefined : this.#mark + stack
  }

  /** Logs that a function of the user failed, and where. */
  failed(what: string, thrown: unknown): void {
    const stack = this.stackOf(thrown)
    this.write('error', `${what} failed: ${errorText(thrown)}${stack === undefined ? '' : `\n${stack}`}`)
  }

  /** A line, and below it more of them, such as those of a file around a mistake, and then a stack from {@link stackOf}. */
  writeWith(level: Exclude<LogLevel, 'silent'>, line: string, below: string, stack?: string): void {
    this.write(level, `${line}${below && `\n${this.#mark}${below}`}${stack === undefined ? '' : `\n${stack}`}`)
  }

  /** A line of the engine, by the number of its level. */
  fromEngine(level: number, line: string): void {
    this.write(ENGINE_LEVELS[level] ?? 'error', line)
  }

  write(level: Exclude<LogLevel, 'silent'>, line: string): void {
    if (LEVELS.indexOf(level) > this.#most) return
    const method = level === 'debug' && !('debug' in this.#logger && this.#logger !== console) ? 'info' : level
    try {
      const [first, ...below] = line.split(`\n${this.#mark}`) as [string, ...string[]]
      const lines = [first, ...below.flatMap((part) => part.split('\n'))]
      ;(this.#logger as Record<typeof method, (line: string) => void>)[method](`[switchboard] ${lines.map(escape).join('\n')}`)
    } catch {
      // A logger that fails must not take connections with it.
    }
  }
}

/** C0, DEL, C1 and Unicode's own line breaks. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * A line with its control characters written out. Much of it comes from clients: they must not be able to command a
 * terminal, or to forge a line.
 */
function escape(line: string): string {
  return line.replace(CONTROLS, (control) => SHORT[control] ?? `\\u{${control.charCodeAt(0).toString(16)}}`)
}
