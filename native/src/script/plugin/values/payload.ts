/** From the values that users send to what crosses to the engine, and back. */

import { types } from 'node:util'

import { PayloadKind } from '../engine/contract.js'

/** A message as it crosses to the engine: text or bytes. */
export type Payload = string | Uint8Array

/** Whether it is text or binary. */
export function kindOf(message: Payload): number {
  return typeof message === 'string' ? PayloadKind.Text : PayloadKind.Binary
}

/** The message for a value that a user sends; `undefined` is none. */
export function toPayload(data: unknown): Payload | undefined {
  if (typeof data === 'string') return data
  if (data instanceof Uint8Array) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data)
  return JSON.stringify(data)
}

/** The value that handlers get for a message, according to their `parse`. */
export function fromPayload(payload: string | Buffer, parse: 'json' | 'text' | 'none' | undefined): unknown {
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
