/** What users send and get, and what crosses to the engine. */

import { types } from 'node:util'

import { PayloadKind } from '../host/contract.js'

/** What a value is on the wire. */
export type Encoded = string | Uint8Array

/** Whether it goes out as text or as bytes. */
export function kindOf(message: Encoded): number {
  return typeof message === 'string' ? PayloadKind.Text : PayloadKind.Binary
}

/** What a value is on the wire: text, bytes, or nothing at all. */
export function encode(data: unknown): Encoded | undefined {
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
