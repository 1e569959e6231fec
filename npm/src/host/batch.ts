/** Reads what a turn of the engine asks for. `wasm/src/batch.rs` describes the layout. */

import type { Dial } from '../upstream/dial.js'
import type { Accept, Actor, Call } from './actor.js'
import type { Core } from './wasm.js'
import { BINARY, Memory, NOTHING } from './wasm.js'

const ACCEPT = 1
const REJECT = 2
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

/** Up to so many bytes frames share memory. */
const SMALL = 4096

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

  /** The connection that the latest upgrade request stands for. */
  get latest(): [slot: number, generation: number] {
    const words = this.#memory.words
    return [words[this.#header + 4]!, words[this.#header + 5]!]
  }

  /** Whether sockets wait for another round of Node's loop. */
  get isMore(): boolean {
    return this.#memory.words[this.#header + 6]! !== 0
  }

  /**
   * Takes a turn: has everything done but the calls, which are given back, for they may start the next turn.
   * `undefined` when there was nothing to do. What there is to write waits for a turn with `flush`, and in a round
   * of Node's loop, which one turn begins, only so much of it goes out.
   */
  take(actor: Actor, flush: boolean, beginsRound: boolean): Call[] | undefined {
    if (!this.#core.turn(flush, beginsRound)) return undefined
    this.#words = this.#memory.words
    this.#bytes = this.#memory.bytes
    this.#at = this.#words[this.#header]! / 4
    const end = this.#at + this.#words[this.#header + 1]!
    const calls: Call[] = []
    let frames: Buffer[] = []
    while (this.#at < end) {
      const opcode = this.#word()
      if (opcode === WRITE) {
        this.#write(actor, frames)
        continue
      }
      if (opcode === FRAMES) {
        frames = this.#copies()
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
          actor.reject(slot, generation, this.#copy())
          break
        case PAUSE:
          actor.pause(slot, generation)
          break
        case RESUME:
          actor.resume(slot, generation)
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

  /** A 64-bit number; the engine counts no further than JavaScript can. A small one is not made a float, which takes memory. */
  #wide(): number {
    const low = this.#word()
    const high = this.#word()
    return high === 0 ? low : low + high * 2 ** 32
  }

  #payload(): string | Buffer | undefined {
    const kind = this.#word()
    const payload = kind === BINARY ? this.#copy() : this.#text()
    return kind === NOTHING ? undefined : payload
  }

  #copy(): Buffer {
    const start = this.#word()
    return copyOf(this.#bytes, start, this.#word())
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

  /** Has the same frames written to one receiver after another. */
  #write(actor: Actor, frames: Buffer[]): void {
    const receivers = this.#word()
    const count = this.#word()
    let chosen: Buffer | Buffer[] = frames[this.#words[this.#at]!]!
    if (count > 1) {
      chosen = []
      for (let index = 0; index < count; index++) chosen.push(frames[this.#words[this.#at + index]!]!)
    }
    const words = this.#words
    let at = this.#at + count
    for (const end = (this.#at = at + 2 * receivers); at < end; at += 2) {
      actor.write(words[at]!, words[at + 1]!, chosen)
    }
  }

  /** All frames of the batch. Small ones share memory: one piece for all is cheaper than one for each. */
  #copies(): Buffer[] {
    const count = this.#word()
    const words = this.#words
    const first = this.#at
    const end = (this.#at += 2 * count)
    let length = 0
    for (let at = first; at < end; at += 2) if (words[at + 1]! <= SMALL) length += words[at + 1]!
    const shared = length === 0 ? undefined : Buffer.allocUnsafe(length)
    const frames: Buffer[] = []
    let used = 0
    for (let at = first; at < end; at += 2) {
      const start = words[at]!
      const size = words[at + 1]!
      if (size > SMALL) {
        frames.push(copyOf(this.#bytes, start, size))
        continue
      }
      this.#bytes.copy(shared!, used, start, start + size)
      frames.push(count === 1 ? shared! : shared!.subarray(used, used + size))
      used += size
    }
    return frames
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

function copyOf(bytes: Buffer, start: number, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length)
  bytes.copy(copy, 0, start, start + length)
  return copy
}
