/** The log of the command, on standard error, in the form of the native program's. */

import { writeSync } from 'node:fs'

import type { Logger, LogLevel } from '../interface/options.js'

/** A line's level with its colour. */
const LEVELS = { debug: ['DEBUG', 34], info: [' INFO', 32], warn: [' WARN', 33], error: ['ERROR', 31] } as const

/** Takes lines of all levels. */
export interface CommandLogger extends Logger {
  debug(line: string): void
}

/** A logger that writes lines with their time. What cannot be written is dropped: the reader of the log may have gone. */
export function createLogger(): CommandLogger {
  const write = (level: keyof typeof LEVELS) => (line: string) => {
    const text = line.replace(/^\[switchboard\] /, '')
    const [word, colour] = LEVELS[level]
    const now = new Date().toISOString().replace('Z', '000Z')
    const head = process.stderr.isTTY ? `\u001b[2m${now}\u001b[0m \u001b[${colour}m${word}\u001b[0m` : `${now} ${word}`
    try {
      writeSync(2, `${head} ${text}\n`)
    } catch {
      // Nobody reads it any more.
    }
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

const NAMES: LogLevel[] = ['error', 'warn', 'info', 'debug']

/** What `RUST_LOG` asks for, as far as it is about Switchboard; or why it cannot be read. */
export function levelOf(environment: NodeJS.ProcessEnv): { level: LogLevel; mistake?: string } {
  const text = environment.RUST_LOG ?? ''
  if (text === '') return { level: asksForDebug(environment.DEBUG) ? 'debug' : 'info' }
  let level: LogLevel = 'info'
  for (const directive of text.split(',').map((word) => word.trim()).filter(Boolean)) {
    const [target, name = target] = directive.split('=') as [string, string?]
    if (name !== target && !target.startsWith('switchboard')) continue
    const known = ({ off: 'silent', trace: 'debug' } as Record<string, LogLevel>)[name.toLowerCase()] ?? NAMES.find((one) => one === name.toLowerCase())
    if (known !== undefined) level = known
    else if (name !== target || /[^\w:]/.test(target)) return { level: 'info', mistake: `invalid filter directive "${directive}"` }
    else if (target.startsWith('switchboard')) level = 'debug'
  }
  return { level }
}

function asksForDebug(names = ''): boolean {
  return names.split(/[\s,]+/).some((name) => ['switchboard', 'switchboard:*', '*'].includes(name))
}
