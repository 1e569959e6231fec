/** When the engine gets its turns: together for all that one round of Node's loop brings, and never for long. */

import type { Socket } from '../connection/socket.js'
import type { Call } from '../engine/actor.js'
import { monotonic, nextTick, queueMicrotask, setImmediate } from '../engine/time.js'

/** So many received bytes do not wait for more. */
const MUCH = 256 * 1024

/** So many bytes are read in any case: clients that send little do not wait for those that send much. */
const LITTLE = 4096

/**
 * How long in ms a round of Node's loop may be ours. What is left waits for the next one, and sockets that send more are
 * not read meanwhile: others are served too, however much some clients send.
 */
const ROUND = 8

/** Whether sockets are written to in a turn; `unless-awaited`: only while no hook is awaited. */
type Write = 'always' | 'unless-awaited' | 'never'

/** What is done in a turn. */
export interface Work {
  /**
   * Does what the engine asks for next, and gives the calls to run; `undefined` when there is nothing. `beginsRound`: it
   * is the first time in this round. `isUnfinished`: the round before had no time for all hooks.
   */
  step(write: boolean, beginsRound: boolean, isUnfinished: boolean): Call[] | undefined
  /** Runs a hook, and says whether it has to be awaited. */
  run(call: Call): boolean
  /** Something was thrown where nothing may be. */
  fail(error: unknown): void
  /** A turn is over. Gives whether the next round has to go on with it. */
  finish(): boolean
  /** Tells the engine what came. */
  read(socket: Socket, chunk: Buffer): void
}

/**
 * Gives an engine its turns. All that a round brings shares one turn, and so one write per socket; in a round that takes
 * too long the rest waits for the next one.
 */
export class Rounds {
  readonly #work: Work
  #isTurning = false
  #isOver = false
  /** A turn is due at the end of this round. */
  #isDue = false
  /** The next turn is the first of a round. */
  #isFirst = true
  /** The round before had no time for all hooks. */
  #isUnfinished = false
  /** A turn is due in this tick, as hooks were answered that others may wait behind. */
  #isAnswered = false
  /** Bytes received since the last turn. */
  #received = 0
  /** When this round has been ours for long enough, in ms of the system's clock; `undefined`: it has not begun. */
  #enough: number | undefined
  /** Those that sent more than this round had time for. */
  #held: Socket[] = []

  constructor(work: Work) {
    this.#work = work
  }

  /** Does what the engine asks for until it asks for nothing more, however long that takes. */
  turn(): void {
    this.#take('always', Number.POSITIVE_INFINITY)
  }

  /** Something happened that may wait until the end of this round. */
  soon(): void {
    if (this.#isTurning || this.#isDue || this.#isOver) return
    // If the stack ends within this call, the next one can still schedule the turn.
    setImmediate(this.#onDue)
    this.#isDue = true
  }

  /** A hook was answered: the one behind it runs within this tick. */
  answered(): void {
    if (this.#isTurning || this.#isAnswered || this.#isOver) return
    queueMicrotask(() => {
      this.#isAnswered = false
      if (!this.#isEnough()) this.#take('never')
    })
    this.#isAnswered = true
    this.soon()
  }

  /** Bytes came. They are read now, or kept with their socket until there is time. */
  received(socket: Socket, chunk: Buffer): void {
    if (socket.isHeld || (chunk.length > LITTLE && this.#isEnough())) {
      if (socket.hold(chunk)) this.#held.push(socket)
      return this.soon()
    }
    this.#read(socket, chunk)
    if (this.#received < MUCH) this.soon()
    else this.#take('always')
  }

  /** There are no turns any more. */
  stop(): void {
    this.#isOver = true
  }

  /** Whether a turn is due at the end of this round. */
  get isDue(): boolean {
    return this.#isDue
  }

  /** Takes a turn; gives whether hooks that were started are to be awaited. */
  #take(write: Write, enough?: number): boolean {
    if (this.#isTurning || this.#isOver) return false
    this.#isTurning = true
    this.#received = 0
    let isAwaited = false
    try {
      for (;;) {
        const [beginsRound, isUnfinished] = [this.#isFirst, this.#isUnfinished]
        this.#isFirst = false
        this.#isUnfinished = false
        const writes = write === 'always' || (write === 'unless-awaited' && !isAwaited)
        const calls = this.#work.step(writes, beginsRound, isUnfinished)
        if (calls === undefined) break
        for (const call of calls) if (this.#work.run(call)) isAwaited = true
        if (calls.length > 0 && this.#isEnough(enough)) {
          this.#isUnfinished = true
          break
        }
      }
    } catch (error) {
      this.#work.fail(error)
    } finally {
      this.#isTurning = false
    }
    const isMore = this.#work.finish()
    if (this.#isOver) return false
    if (isMore || this.#isUnfinished) this.soon()
    return isAwaited
  }

  readonly #onDue = (): void => {
    this.#isDue = false
    this.#isFirst = true
    this.#enough = undefined
    // What hooks that are done within this tick have sent goes out with the rest.
    if (this.#take('unless-awaited')) queueMicrotask(() => nextTick(() => this.#take('always')))
    if (this.#held.length > 0) this.#readHeld()
  }

  /** Reads from those that had to wait, one after another, as long as there is time. */
  #readHeld(): void {
    let count = 0
    while (count < this.#held.length && !this.#isEnough() && !this.#isOver) {
      const socket = this.#held[count++]!
      const chunk = socket.release()
      if (chunk) this.#read(socket, chunk)
    }
    this.#held.splice(0, count)
    this.soon()
  }

  #read(socket: Socket, chunk: Buffer): void {
    this.#received += chunk.length
    this.#work.read(socket, chunk)
  }

  /** Whether this round has been ours for long enough; the first question begins it. */
  #isEnough(enough = this.#enough): boolean {
    const now = monotonic()
    if (enough !== undefined) return now > enough
    this.#enough = now + ROUND
    return false
  }
}
