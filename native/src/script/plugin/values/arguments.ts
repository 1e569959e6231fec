/** Checks the arguments that users' code passes, so that a mistake is an error where it was made. */

/** How many of an object's keys are shown, and how much of each. */
const KEYS = 5
const KEY_LENGTH = 40

/** A name, of a room for example: text, or a number in its place. Throws a `TypeError` for anything else. */
export function name(value: unknown, what: string): string {
  const name = nameOrNone(value)
  if (name === undefined) throw new TypeError(`${what}: expected text, got ${shapeOf(value)}`)
  return name
}

/** As {@link name} for a question about one: `undefined` for what cannot be a name. */
export function nameOrNone(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Number.isFinite(value) || typeof value === 'bigint' ? String(value) : undefined
}

/** A yes or no; without a value no. Throws a `TypeError` for text, objects and the like, which would all mean yes. */
export function flag(value: unknown, what: string): boolean {
  if (!value || typeof value === 'boolean' || typeof value === 'number') return Boolean(value)
  throw new TypeError(`${what}: expected true or false, got ${shapeOf(value)}`)
}

/** An object with options; without a value none of them. `example` is what to write instead. */
export function optionsOf<T extends object>(value: T | null | undefined, what: string, example: string): T {
  if (!value) return {} as T
  if (typeof value === 'object' && !Array.isArray(value)) return value
  throw new TypeError(`${what}: expected options such as ${example}, got ${shapeOf(value)}`)
}

/** A time in ms, not negative; `none` says what to write for no time. */
export function milliseconds(value: unknown, what: string, none: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new TypeError(`${what}: expected a time in ms, got ${shapeOf(value)}; ${none}`)
  }
  if (value < 0) throw new RangeError(`${what}: a time cannot be ${value} ms; ${none}`)
  return Math.ceil(value)
}

/** The payload of a ping or pong: text or bytes; without a value empty. */
export function controlPayload(value: unknown, what: string): string | Uint8Array {
  if (typeof value === 'number') return String(value)
  if (!value) return ''
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  throw new TypeError(`${what}: expected text or bytes, got ${shapeOf(value)}`)
}

/** The code of a close frame; whether it may be sent is not decided here. */
export function closeCode(value: unknown, what: string): number {
  if (typeof value === 'number') return value
  throw new TypeError(`${what}: expected a close code such as 1000, got ${shapeOf(value)}`)
}

/** The reason of a close frame. */
export function closeReason(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
  throw new TypeError(`${what}: expected a reason as text, got ${shapeOf(value)}`)
}

/** What a value is, for an error or the log: its type and an object's keys. Never its content, which may be a secret. */
export function shapeOf(value: unknown): string {
  if (value === null || ['undefined', 'boolean', 'number'].includes(typeof value)) return String(value)
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'text'
  if (Array.isArray(value)) return 'a list'
  if (typeof value !== 'object') return `a ${typeof value}`
  if (typeof (value as PromiseLike<unknown>).then === 'function') return 'a promise, which has to be awaited first'
  const keys = Object.keys(value)
  if (keys.length === 0) return 'an object without keys'
  const shown = keys.slice(0, KEYS).map((key) => (key.length > KEY_LENGTH ? `${key.slice(0, KEY_LENGTH)}…` : key))
  return `an object with the ${keys.length === 1 ? 'key' : 'keys'} ${shown.join(', ')}${keys.length > KEYS ? ', …' : ''}`
}
