/** Spans of time, as users write them. */

import { shapeOf } from './arguments.js'

/** A span of time: a number of ms, or text with its unit such as `'250ms'`, `'30s'`, `'5m'` or `'1.5h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A span in whole ms, rounded up. Throws a `TypeError` for what is none, and a `RangeError` for a negative one. */
export function duration(value: unknown, what: string): number {
  const [, digits, unit] = (typeof value === 'string' && /^(-?\d+(?:\.\d+)?) ?(ms|s|m|h)$/.exec(value)) || []
  const ms = digits === undefined ? value : Number(digits) * UNITS[unit!]!
  if (typeof ms !== 'number' || !Number.isFinite(ms)) {
    const got = typeof value === 'string' ? JSON.stringify(value) : shapeOf(value)
    throw new TypeError(`${what}: expected a time in ms, or text such as '30s' or '250ms', got ${got}`)
  }
  if (ms < 0) throw new RangeError(`${what}: a time cannot be negative, got ${String(value)}`)
  return Math.ceil(ms)
}
