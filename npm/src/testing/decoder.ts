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
  on(event: 'error', listener: () => void): void
  write(chunk: Buffer): void
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
  /** A close frame. */
  closed(code: number, reason: string): void
}

/** One direction of one socket. */
export class Decoder {
  readonly #receiver: Receiver
  #deflate: Deflate | undefined
  #isOver = false

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
    this.#receiver.on('conclude', (code, reason) => heard.closed(code, reason.toString()))
    // Who breaks the protocol is closed by the engine; there is nothing more to read.
    this.#receiver.on('error', () => (this.#isOver = true))
  }

  /** Reads; the chunk is unmasked in its place. */
  read(chunk: Buffer): void {
    if (!this.#isOver) this.#receiver.write(chunk)
  }

  /** Nothing more comes. */
  end(): void {
    this.#isOver = true
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
