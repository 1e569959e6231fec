/** What messages of failed tests show. */

import { inspect } from 'node:util'

import type { TestConnection } from '../interface/testing.js'

/** So many messages or connections are shown, the latest ones, and so much of each. */
const MOST = 20
const LONGEST = 300

/** A message or another value on one line. */
export function show(value: unknown): string {
  if (typeof value === 'function' && !isAsymmetric(value)) return 'what the function takes'
  const text = inspect(readable(value), { depth: 8, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 50 })
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

/** The same, where asymmetric matchers show what they match instead of what they are made of. */
function readable(value: unknown): unknown {
  if (isAsymmetric(value)) {
    const name = value.toAsymmetricMatcher?.() ?? value.toString()
    const text = 'sample' in value && !name.includes('<') ? `${name} ${show(value.sample)}` : name
    return { [inspect.custom]: () => text }
  }
  if (Array.isArray(value)) return value.map(readable)
  if (Object.prototype.toString.call(value) !== '[object Object]') return value
  return Object.fromEntries(Object.entries(value as object).map(([key, part]) => [key, readable(part)]))
}

interface Asymmetric {
  asymmetricMatch: unknown
  toAsymmetricMatcher?(): string
  sample?: unknown
}

function isAsymmetric(value: unknown): value is Asymmetric {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && typeof (value as Asymmetric).asymmetricMatch === 'function'
}

/** A list with numbers, indented. */
export function list(lines: string[]): string {
  const shown = lines.map((line, index) => `  ${index + 1}. ${line}`).slice(-MOST)
  const left = lines.length - shown.length
  return [...(left > 0 ? [`  … ${left} before`] : []), ...shown].join('\n')
}

/** A connection: where it came in, and how it is. */
export function connectionLine({ url, isOpen, closure }: TestConnection): string {
  if (closure === undefined) return `${url}, ${isOpen ? 'open' : 'closing'}`
  const by = closure.by === undefined ? '' : ` by the ${closure.by}`
  return `${url}, closed with ${closure.code}${closure.reason && ` ${closure.reason}`}${by}`
}

/** So many of something. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
