/** The engine's module and its memory. */

import { readFileSync } from 'node:fs'

import { initSync, last_panic, Switchboard } from '../switchboard_wasm.js'

/** The engine of one server, as wasm-bindgen exports it. */
export type Core = Switchboard

/** What a payload is when it crosses. */
export const NOTHING = 0
export const TEXT = 1
export const BINARY = 2

/** Longer messages are refused: copies of them would not fit into the engine's 4 GiB. */
const MAX_MESSAGE = 128 * 1024 * 1024

/** Up to so many UTF-16 units a string gets room for its worst case instead of being measured first. */
const SHORT = 16 * 1024

/** Scratch memory beyond this is given back by the engine, the next time that less is asked for. */
const USUAL_SCRATCH = 1024 * 1024

let memory: { readonly buffer: ArrayBuffer } | undefined

/** Compiles the module on first use. */
export function createCore(setup: object, seed: Uint8Array): Core {
  memory ??= initSync({ module: readFileSync(new URL('../switchboard_wasm_bg.wasm', import.meta.url)) }).memory
  return new Switchboard(setup, seed)
}

/** Whether an error is the engine's own breakdown: a trap. */
export function isTrap(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError'
}

/** What the engine said when it broke down. */
export function lastPanic(): string | undefined {
  return last_panic()
}

/** The engine's memory, seen as bytes and as words. Both views become invalid when it grows. */
export class Memory {
  readonly #core: Core
  #bytes: Buffer = Buffer.alloc(0)
  #words: Uint32Array = new Uint32Array(0)
  /** Where scratch memory is, and how much of it may be used without asking again. */
  #scratch = 0
  #room = 0

  constructor(core: Core) {
    this.#core = core
  }

  get bytes(): Buffer {
    this.#refresh()
    return this.#bytes
  }

  get words(): Uint32Array {
    this.#refresh()
    return this.#words
  }

  /** Copies what came from a socket into the engine's scratch memory. */
  putBytes(bytes: Uint8Array): number {
    const length = bytes.byteLength
    if (length > MAX_MESSAGE) {
      throw new RangeError(`a message of ${length} bytes cannot be sent; the most is ${MAX_MESSAGE}`)
    }
    const address = this.#reserve(length)
    this.bytes.set(bytes, address)
    return length
  }

  /** Copies a request: its head, one byte per character, and its body right behind it. Gives the head's length. */
  putRequest(head: string, body?: Uint8Array): number {
    const address = this.#reserve(head.length + (body?.byteLength ?? 0))
    this.bytes.write(head, address, head.length, 'latin1')
    if (body) this.bytes.set(body, address + head.length)
    return head.length
  }

  /** Writes text into the engine's scratch memory, as UTF-8; gives its length in bytes. */
  putText(text: string): number {
    const room = text.length <= SHORT ? text.length * 3 : Buffer.byteLength(text)
    if (room > MAX_MESSAGE) {
      throw new RangeError(`a message of ${room} bytes cannot be sent; the most is ${MAX_MESSAGE}`)
    }
    const address = this.#reserve(room)
    return this.bytes.write(text, address, room, 'utf8')
  }

  #reserve(length: number): number {
    if (length > this.#room) {
      this.#scratch = this.#core.scratch(length)
      // More than that is for this once.
      this.#room = length > USUAL_SCRATCH ? 0 : length
    }
    return this.#scratch
  }

  #refresh(): void {
    // Views of memory that has grown are empty; that is cheaper to see than what the memory is now.
    if (this.#words.length > 0) return
    this.#bytes = Buffer.from(memory!.buffer)
    this.#words = new Uint32Array(memory!.buffer)
  }
}
