/**
 * Reads what passes on a socket beside the engine, with the decoder of npm's `ws`: so a test sees messages whatever serves
 * them, a function, a rule or a dialect, and sees them as another implementation reads them.
 */

import * as ws from 'ws'

import type { Said } from './equality.js'

/** The parts of `ws` that its types leave out. */
interface Receiver {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void
  on(event: 'conclude', listener: (code: number, reason: Buffer) => void): void
  on(event: 'error' | 'finish', listener: () => void): void
  end(): void
  write(chunk: Buffer, done: () => void): void
}
interface Deflate {
  params: object | null
  normalizeParams(parsed: unknown): object[]
  cleanup(): void
}
const { Receiver, PerMessageDeflate, extension } = ws as unknown as {
  Receiver: new (options: object) => Receiver
  PerMessageDeflate: new (options: object) => Deflate
  extension: { parse(header: string): Record<string, unknown> }
}

const NAME = 'permessage-deflate'

/** What is read in one direction. */
export interface Heard {
  message(said: Said): void
  /** A close frame, which was in the chunk with this place. */
  closed(code: number, reason: string, place: number): void
}

/** One direction of one socket. */
export class Decoder {
  readonly #receiver: Receiver
  /** All that came is read: after the end, or what comes after a close frame or a violation. */
  readonly #done: Promise<void>
  #deflate: Deflate | undefined
  #isOver = false
  /** The places of the chunks that are being read. */
  readonly #places: number[] = []

  /** `response` is the 101, which says what was negotiated. */
  constructor(response: Buffer, from: 'client' | 'server', heard: Heard) {
    const isServer = from === 'client'
    const [, negotiated] = /^sec-websocket-extensions:(.*)$/im.exec(response.toString('latin1')) ?? []
    const parsed = negotiated === undefined ? {} : extension.parse(negotiated.trim())
    if (NAME in parsed) {
      this.#deflate = new PerMessageDeflate({ isServer })
      this.#deflate.params = this.#deflate.normalizeParams(parsed[NAME])[0] ?? {}
    }
    this.#receiver = new Receiver({ isServer, extensions: this.#deflate ? { [NAME]: this.#deflate } : {} })
    this.#receiver.on('message', (data, isBinary) => heard.message(isBinary ? { value: data, text: undefined } : textOf(data)))
    // Behind a close frame nothing counts, and who breaks the protocol is closed by the engine.
    this.#receiver.on('conclude', (code, reason) => {
      this.#isOver = true
      heard.closed(code, reason.toString(), this.#places[0] ?? 0)
    })
    this.#done = new Promise((resolve) => {
      this.#receiver.on('finish', resolve)
      this.#receiver.on('error', () => {
        this.#isOver = true
        resolve()
      })
    })
  }

  /** Reads; the chunk is unmasked where it is. `place` is its place among those of both directions. */
  read(chunk: Buffer, place: number): void {
    if (this.#isOver) return
    this.#places.push(place)
    this.#receiver.write(chunk, () => void this.#places.shift())
  }

  /** Nothing more comes. Resolves when all is read that came: inflating takes its time. */
  async end(): Promise<void> {
    if (!this.#isOver) this.#receiver.end()
    this.#isOver = true
    await this.#done
    this.#deflate?.cleanup()
  }
}

function textOf(data: Buffer): Said {
  const text = data.toString()
  try {
    return { text, value: JSON.parse(text) as unknown }
  } catch {
    return { text, value: text }
  }
}
