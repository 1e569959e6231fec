/** Reads what a turn of the engine asks for. `wasm/src/batch.rs` describes the layout. */

import type { Accept, Actor, Call, Dial } from './actor.js'
import { Header, Opcode, PayloadKind } from './contract.js'
import type { Memory } from './memory.js'

/** Frames up to this many bytes share memory. */
const SMALL = 4096

/**
 * The latest turn's batch, and the few words that every turn leaves in addition.
 *
 * Carrying out a record may call the engine, whose memory may grow. The batch stays where it is until the next turn, but
 * the views of the memory become invalid: they are fetched anew after each record.
 */
export class Batch {
  readonly #memory: Memory
  readonly #header: number
  #words: Uint32Array = new Uint32Array(0)
  #at = 0

  /** `header` is the address of the words that every turn leaves. */
  constructor(memory: Memory, header: number) {
    this.#memory = memory
    this.#header = header / 4
  }

  /** When the engine has something to do by itself, in ms; `undefined`: never. */
  get deadline(): number | undefined {
    const words = this.#memory.words
    const [low, high] = [words[this.#header + Header.DeadlineLow]!, words[this.#header + Header.DeadlineHigh]!]
    return high === 0xffff_ffff ? undefined : high * 2 ** 32 + low
  }

  /** The connection that the latest upgrade request stands for. */
  get latest(): [slot: number, generation: number] {
    const words = this.#memory.words
    return [words[this.#header + Header.LatestSlot]!, words[this.#header + Header.LatestGeneration]!]
  }

  /** Whether sockets wait for another round of Node's loop. */
  get isMore(): boolean {
    return this.#memory.words[this.#header + Header.IsMore]! !== 0
  }

  /** Has everything done but the calls, which are given back, for they may start the next turn. */
  read(actor: Actor): Call[] {
    this.#words = this.#memory.words
    this.#at = this.#words[this.#header + Header.BatchAddress]! / 4
    const end = this.#at + this.#words[this.#header + Header.BatchLength]!
    const calls: Call[] = []
    let frames: Buffer[] = []
    while (this.#at < end) {
      this.#words = this.#memory.words
      const opcode = this.#word()
      switch (opcode) {
        case Opcode.Write:
          this.#write(actor, frames)
          continue
        case Opcode.Frames:
          frames = this.#copies()
          continue
        case Opcode.Log:
          actor.logged(this.#word(), this.#text() ?? '')
          continue
        case Opcode.Read:
          actor.readFile(this.#text() ?? '', this.#text() ?? '')
          continue
        case Opcode.ReadPart:
          actor.readFilePart(this.#wide(), this.#wide(), this.#word(), this.#text() ?? '')
          continue
        case Opcode.Append:
          actor.appendFile(this.#text() ?? '', this.#copy())
          continue
        case Opcode.Call:
          calls.push(this.#call())
          continue
        case Opcode.CancelCall:
          actor.cancelCall(this.#wide())
          continue
        case Opcode.Dial:
          actor.dial(this.#wide(), this.#json() as Dial)
          continue
        case Opcode.Upstream:
          actor.sendUpstream(this.#wide(), this.#payload() ?? '')
          continue
        case Opcode.HangUp:
          actor.closeUpstream(this.#wide(), this.#word() || undefined, this.#text() ?? '')
          continue
        case Opcode.PauseUpstream:
          actor.pauseUpstream(this.#wide())
          continue
        case Opcode.ResumeUpstream:
          actor.resumeUpstream(this.#wide())
          continue
        case Opcode.TerminateUpstream:
          actor.terminateUpstream(this.#wide())
          continue
      }
      const slot = this.#word()
      const generation = this.#word()
      switch (opcode) {
        case Opcode.Accept:
          actor.accept(this.#accept(slot, generation))
          break
        case Opcode.Reject:
          actor.reject(slot, generation, this.#copy())
          break
        case Opcode.Pause:
          actor.pause(slot, generation)
          break
        case Opcode.Resume:
          actor.resume(slot, generation)
          break
        case Opcode.End:
          actor.end(slot, generation)
          break
        case Opcode.ReportUnsent:
          actor.reportUnsent(slot, generation)
          break
        case Opcode.Terminate:
          actor.terminate(slot, generation)
          break
        case Opcode.Removed:
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
    const payload = kind === PayloadKind.Binary ? this.#copy() : this.#text()
    return kind === PayloadKind.Nothing ? undefined : payload
  }

  #copy(): Buffer {
    const start = this.#word()
    return copyOf(this.#memory.bytes, start, this.#word())
  }

  #text(): string | undefined {
    const start = this.#word()
    const length = this.#word()
    return start === 0 ? undefined : this.#memory.bytes.toString('utf8', start, start + length)
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
    let at = this.#at + count
    for (const end = (this.#at = at + 2 * receivers); at < end; at += 2) {
      if (this.#words.length === 0) this.#words = this.#memory.words
      actor.write(this.#words[at]!, this.#words[at + 1]!, chosen)
    }
  }

  /** All frames of the batch. Small ones share memory: one piece for all is cheaper than one for each. */
  #copies(): Buffer[] {
    const count = this.#word()
    const words = this.#words
    const bytes = this.#memory.bytes
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
        frames.push(copyOf(bytes, start, size))
        continue
      }
      bytes.copy(shared!, used, start, start + size)
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
      about: this.#text(),
      code: this.#word(),
      detail: this.#word(),
    }
  }
}

function copyOf(bytes: Buffer, start: number, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length)
  bytes.copy(copy, 0, start, start + length)
  return copy
}
