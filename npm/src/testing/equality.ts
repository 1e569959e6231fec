/** Whether a message is what a test expects. */

/** What Jest, Vitest and Playwright call asymmetric matchers: `expect.any(String)` and the like. */
interface Asymmetric {
  asymmetricMatch(value: unknown): boolean
}

/** Compares two values: with this, or as the `expect` of a test runner does. */
export type Equals = (actual: unknown, expected: unknown) => boolean

/**
 * Whether two values are equal: objects and lists by their parts, where a key of `undefined` is as if it were not there;
 * bytes by their content; anything else by `Object.is`. In `expected` asymmetric matchers may stand.
 */
export const equals: Equals = (actual, expected) => {
  if (isAsymmetric(expected)) return expected.asymmetricMatch(actual)
  if (Object.is(actual, expected)) return true
  if (!isObject(actual) || !isObject(expected)) return false
  const [bytes, otherBytes] = [bytesOf(actual), bytesOf(expected)]
  if (bytes || otherBytes) return bytes !== undefined && otherBytes !== undefined && bytes.equals(otherBytes)
  if (Array.isArray(actual) !== Array.isArray(expected)) return false
  if (Array.isArray(actual) && actual.length !== (expected as unknown as unknown[]).length) return false
  const keys = new Set([...keysOf(actual), ...keysOf(expected)])
  return [...keys].every((key) => equals(actual[key], expected[key]))
}

/** A message as it was received. */
export interface Said {
  /** What it is made into: JSON as its value, other text as text, binary as a `Buffer`. */
  readonly value: unknown
  /** The text as it was sent; `undefined` for binary. */
  readonly text: string | undefined
}

/** Whether a message is expected: as a value, as bytes, or as the text that was sent. */
export function matches(said: Said, expected: unknown, same: Equals = equals): boolean {
  if (typeof expected === 'function' && !isAsymmetric(expected)) return Boolean(expected(said.value))
  const bytes = isObject(expected) ? bytesOf(expected) : undefined
  if (bytes) return Buffer.isBuffer(said.value) && said.value.equals(bytes)
  return same(said.value, expected) || (said.text !== undefined && said.text !== said.value && same(said.text, expected))
}

function isAsymmetric(value: unknown): value is Asymmetric {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && typeof (value as Asymmetric).asymmetricMatch === 'function'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function keysOf(value: Record<string, unknown>): string[] {
  return Object.keys(value).filter((key) => value[key] !== undefined)
}

function bytesOf(value: object): Buffer | undefined {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]' ? Buffer.from(value as ArrayBuffer) : undefined
}
