// structuredClone, as HTML has it, for what there is here.

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }

export class DOMException extends Error {
  constructor(message = '', name = 'Error') {
    super(message)
    Object.defineProperty(this, 'name', { value: name, configurable: true })
  }
}

export function structuredClone(value) {
  return clone(value, new Map())
}

function clone(value, known) {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new DOMException(`${typeof value === 'symbol' ? String(value) : value.name || 'a function'} could not be cloned.`, 'DataCloneError')
  }
  if (typeof value !== 'object' || value === null) return value
  if (known.has(value)) return known.get(value)
  const remember = (copy) => {
    known.set(value, copy)
    return copy
  }
  const next = (other) => clone(other, known)
  if (Array.isArray(value)) {
    const copy = remember(new Array(value.length))
    for (const key of Object.keys(value)) copy[key] = next(value[key])
    return copy
  }
  if (value instanceof Date) return remember(new Date(value.getTime()))
  if (value instanceof RegExp) return remember(new RegExp(value.source, value.flags))
  if (value instanceof Boolean || value instanceof Number || value instanceof String) return remember(Object(value.valueOf()))
  if (value instanceof ArrayBuffer) return remember(value.slice(0))
  if (ArrayBuffer.isView(value)) {
    const buffer = next(value.buffer)
    const Type = value instanceof DataView ? DataView : globalThis[Object.prototype.toString.call(value).slice(8, -1)]
    return remember(new Type(buffer, value.byteOffset, value.length ?? value.byteLength))
  }
  if (value instanceof Map) {
    const copy = remember(new Map())
    for (const [key, one] of [...value]) copy.set(next(key), next(one))
    return copy
  }
  if (value instanceof Set) {
    const copy = remember(new Set())
    for (const one of [...value]) copy.add(next(one))
    return copy
  }
  if (value instanceof Error) {
    const Type = ERRORS[value.name] ?? Error
    const copy = remember(new Type(value.message))
    for (const [key, own] of [['stack', value.stack], ['cause', value.cause]]) {
      if (own !== undefined) Object.defineProperty(copy, key, { value: next(own), writable: true, configurable: true })
    }
    return copy
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) {
    throw new DOMException(`${Object.prototype.toString.call(value)} could not be cloned.`, 'DataCloneError')
  }
  const copy = remember({})
  for (const key of Object.keys(value)) copy[key] = next(value[key])
  return copy
}
