/** The memory of one engine. */

/** Longer messages are refused: copies of them would not fit into the engine's 4 GiB. */
export const MAX_MESSAGE = 128 * 1024 * 1024

/** Up to so many UTF-16 units a string gets room for its worst case instead of being measured first. */
const SHORT = 16 * 1024

/** Scratch memory beyond this is given back by the engine, the next time that less is asked for. */
const USUAL_SCRATCH = 1024 * 1024

/** The memory, seen as bytes and as words. Both views become invalid when it grows. */
export class Memory {
  readonly #source: { readonly buffer: ArrayBuffer }
  readonly #scratchOf: (length: number) => number
  #bytes: Buffer = Buffer.alloc(0)
  #words: Uint32Array = new Uint32Array(0)
  /** Where scratch memory is, and how much of it may be used without asking again. */
  #scratch = 0
  #room = 0

  /** `scratch` gives the address of so many bytes to fill, or 0 when there is no memory for them. */
  constructor(source: { readonly buffer: ArrayBuffer }, scratch: (length: number) => number) {
    this.#source = source
    this.#scratchOf = scratch
  }

  /** How large it is, in bytes. It never shrinks. */
  get size(): number {
    return this.#source.buffer.byteLength
  }

  get bytes(): Buffer {
    this.#refresh()
    return this.#bytes
  }

  get words(): Uint32Array {
    this.#refresh()
    return this.#words
  }

  /** Copies text as UTF-8, or bytes, to where the engine finds them; gives their length in bytes. */
  put(payload: string | Uint8Array): number {
    return typeof payload === 'string' ? this.#putText(payload) : this.#putBytes(payload)
  }

  /** Copies a request: its head, one byte per character, and its body right behind it. Gives the head's length. */
  putRequest(head: string, body?: Uint8Array): number {
    const address = this.#reserve(head.length + (body?.byteLength ?? 0))
    this.bytes.write(head, address, head.length, 'latin1')
    if (body) this.bytes.set(body, address + head.length)
    return head.length
  }

  #putBytes(bytes: Uint8Array): number {
    const length = bytes.byteLength
    const address = this.#reserve(length)
    // Of a buffer that was transferred nothing is left, and `set` would throw.
    if (length > 0) this.bytes.set(bytes, address)
    return length
  }

  #putText(text: string): number {
    const room = text.length <= SHORT ? text.length * 3 : Buffer.byteLength(text)
    const address = this.#reserve(room)
    return this.bytes.write(text, address, room, 'utf8')
  }

  /** The address of so many bytes. Throws a `RangeError` when there are not so many. */
  #reserve(length: number): number {
    if (length <= this.#room) return this.#scratch
    if (length > MAX_MESSAGE) {
      throw new RangeError(`a message of ${length} bytes cannot be sent; the most is ${MAX_MESSAGE}`)
    }
    const address = this.#scratchOf(length)
    if (address === 0) throw new RangeError(`there is no memory for a message of ${length} bytes`)
    this.#scratch = address
    // More than that is for this once.
    this.#room = length > USUAL_SCRATCH ? 0 : length
    return address
  }

  #refresh(): void {
    // Views of memory that has grown are empty; that is cheaper to see than what the memory is now.
    if (this.#words.length > 0) return
    this.#bytes = Buffer.from(this.#source.buffer)
    this.#words = new Uint32Array(this.#source.buffer)
  }
}
