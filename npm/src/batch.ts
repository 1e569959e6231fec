/** Reads what a turn of the engine asks for. `wasm/src/batch.rs` describes the layout. */

import type { Dial } from './dial.js'
import type { Core } from './wasm.js'
import { BINARY, Memory, NOTHING } from './wasm.js'

/** Names a connection: a slot, and which of its users. */
export interface ConnectionId {
  readonly slot: number
  readonly generation: number
}

/** What the host needs to open a connection. */
export interface Accept extends ConnectionId {
  route: number
  /** The 101 response. */
  head: Buffer
  /** The id that users see. */
  name: string
  subprotocol: string | undefined
  params: Record<string, string> | null
  /** What a declared rule knows about the client; callbacks keep theirs themselves. */
  authData: unknown
}

/** One callback to run. */
export interface Call extends ConnectionId {
  call: number
  route: number
  hook: number
  payload: string | Buffer | undefined
  code: number
  cause: number
}

/** The hooks by number, in the engine's order. */
export const Hook = {
  Authenticate: 0,
  Connect: 1,
  Transform: 2,
  Respond: 3,
  Message: 4,
  Ping: 5,
  Pong: 6,
  Close: 7,
  Error: 8,
  Custom: 9,
} as const

/** `cause` of a close hook when the client closed first. */
export const CLOSED_BY_CLIENT = 0

/** Does what a batch asks for; called in the order in which to do it. */
export interface Actor {
  accept(accept: Accept): void
  reject(slot: number, response: Buffer): void
  ignore(slot: number): void
  pause(slot: number, generation: number): void
  resume(slot: number, generation: number): void
  logged(level: number, text: string): void
  /** A file is to be read for a feed. */
  read(feed: string, file: string): void
  dial(upstream: number, dial: Dial): void
  sendUpstream(upstream: number, message: string | Buffer): void
  hangUp(upstream: number, code: number | undefined, reason: string): void
  write(slot: number, generation: number, frames: Buffer[]): void
  end(slot: number, generation: number): void
  terminate(slot: number, generation: number): void
  removed(slot: number, generation: number): void
}

const ACCEPT = 1
const REJECT = 2
const IGNORE = 3
const PAUSE = 4
const RESUME = 5
const LOG = 6
const FRAMES = 7
const WRITE = 8
const END = 9
const TERMINATE = 10
const REMOVED = 11
const CALL = 12
const READ = 13
const DIAL = 14
const UPSTREAM = 15
const HANG_UP = 16

/** The latest turn's batch. */
export class Batch {
  readonly #core: Core
  readonly #memory: Memory
  readonly #header: number
  #words: Uint32Array = new Uint32Array(0)
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(core: Core, memory: Memory) {
    this.#core = core
    this.#memory = memory
    this.#header = core.header() / 4
  }

  /** When the engine has something to do by itself, in ms; `undefined`: never. */
  get deadline(): number | undefined {
    const words = this.#memory.words
    const [low, high] = [words[this.#header + 2]!, words[this.#header + 3]!]
    return high === 0xffff_ffff ? undefined : high * 2 ** 32 + low
  }

  /**
   * Takes a turn: has everything done but the calls, which are given back, for they may start the next turn.
   * `undefined` when there was nothing to do.
   */
  take(actor: Actor): Call[] | undefined {
    if (!this.#core.turn()) return undefined
    this.#words = this.#memory.words
    this.#bytes = this.#memory.bytes
    this.#at = this.#words[this.#header]! / 4
    const end = this.#at + this.#words[this.#header + 1]!
    const calls: Call[] = []
    let frames: Buffer[] = []
    while (this.#at < end) {
      const opcode = this.#word()
      if (opcode === FRAMES) {
        frames = Array.from({ length: this.#word() }, () => this.#copy())
        continue
      }
      if (opcode === LOG) {
        actor.logged(this.#word(), this.#text() ?? '')
        continue
      }
      if (opcode === READ) {
        actor.read(this.#text() ?? '', this.#text() ?? '')
        continue
      }
      if (opcode === CALL) {
        calls.push(this.#call())
        continue
      }
      if (opcode === DIAL) {
        actor.dial(this.#wide(), this.#json() as Dial)
        continue
      }
      if (opcode === UPSTREAM) {
        actor.sendUpstream(this.#wide(), this.#payload() ?? '')
        continue
      }
      if (opcode === HANG_UP) {
        actor.hangUp(this.#wide(), this.#word() || undefined, this.#text() ?? '')
        continue
      }
      const slot = this.#word()
      const generation = this.#word()
      switch (opcode) {
        case ACCEPT:
          actor.accept(this.#accept(slot, generation))
          break
        case REJECT:
          actor.reject(slot, this.#copy())
          break
        case IGNORE:
          actor.ignore(slot)
          break
        case PAUSE:
          actor.pause(slot, generation)
          break
        case RESUME:
          actor.resume(slot, generation)
          break
        case WRITE:
          actor.write(slot, generation, this.#chosen(frames))
          break
        case END:
          actor.end(slot, generation)
          break
        case TERMINATE:
          actor.terminate(slot, generation)
          break
        case REMOVED:
          actor.removed(slot, generation)
          break
        default:
          throw new Error(`unknown opcode ${opcode}`)
      }
    }
    return calls
  }

  #word(): number {
    return this.#words[this.#at++]!
  }

  /** A 64-bit number; the engine counts no further than JavaScript can. */
  #wide(): number {
    return this.#word() + this.#word() * 2 ** 32
  }

  #payload(): string | Buffer | undefined {
    const kind = this.#word()
    const payload = kind === BINARY ? this.#copy() : this.#text()
    return kind === NOTHING ? undefined : payload
  }

  #copy(): Buffer {
    const start = this.#word()
    return Buffer.from(this.#bytes.subarray(start, start + this.#word()))
  }

  #text(): string | undefined {
    const start = this.#word()
    const length = this.#word()
    return start === 0 ? undefined : this.#bytes.toString('utf8', start, start + length)
  }

  #json(): unknown {
    const text = this.#text()
    return text === undefined ? undefined : JSON.parse(text)
  }

  #chosen(frames: Buffer[]): Buffer[] {
    const count = this.#word()
    const chosen = new Array<Buffer>(count)
    for (let index = 0; index < count; index++) chosen[index] = frames[this.#word()]!
    return chosen
  }

  #accept(slot: number, generation: number): Accept {
    return {
      slot,
      generation,
      route: this.#word(),
      head: this.#copy(),
      name: this.#text() ?? '',
      subprotocol: this.#text(),
      params: (this.#json() as Record<string, string> | undefined) ?? null,
      authData: this.#json(),
    }
  }

  #call(): Call {
    return {
      call: this.#wide(),
      slot: this.#word(),
      generation: this.#word(),
      route: this.#word(),
      hook: this.#word(),
      payload: this.#payload(),
      code: this.#word(),
      cause: this.#word(),
    }
  }
}
