/** What users send and get, and what crosses to the engine. */

import { types } from 'node:util'

/** What a value is on the wire: text, bytes, or nothing at all. */
export function encode(data: unknown): string | Uint8Array | undefined {
  if (typeof data === 'string') return data
  if (data instanceof Uint8Array) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data)
  return JSON.stringify(data)
}

/** What handlers get for a message, as their `parse` says. */
export function decode(payload: string | Buffer, parse: 'json' | 'text' | 'none' | undefined): unknown {
  if (typeof payload !== 'string') return payload
  if (parse === 'text') return payload
  if (parse === 'none') return Buffer.from(payload)
  try {
    return JSON.parse(payload)
  } catch {
    return payload
  }
}

/** Whether something has to be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === 'function'
}
