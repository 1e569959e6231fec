/** The time of a server: the system's, or one that only moves when it is told to. */

import { monotonic, setImmediate, setTimeout, wall } from '../engine/time.js'
import type { Clock } from '../interface/clock.js'
import { duration, type Duration } from '../values/duration.js'

/** How long in ms of real time is waited for what a timer started. */
const PATIENCE = 1000

/** How long in ms of real time is waited for the pongs of clients. */
const PONG_PATIENCE = 100

/** After so many ms Node's loop is left in peace between two looks. */
const EAGER = 5

/** After so many rounds of Node's loop in which nothing came, nothing is under way in this process. */
const QUIET_ROUNDS = 4

/** Timers that are due at one and the same moment; more are an endless loop. */
const MOST_AT_ONCE = 100_000

/** What runs by a clock. */
export interface Driven {
  /** When there is something to do by itself, in ms of the clock; `undefined`: never. */
  readonly deadline: number | undefined
  /** Counts what the engine was told. */
  readonly activity: number
  /** Whether a turn is due in this round of Node's loop. */
  readonly isBusy: boolean
  /** What was started and has not ended: one object for each. */
  pending(): Iterable<object>
  /** Clients that were sent a ping and have sent nothing since. */
  readonly pinged: ReadonlySet<object>
  /** Does what is due. */
  wake(): void
  /** The clock was stopped or started: the alarm has to be set anew. */
  rearm(): void
}

/** The clock of one Switchboard. */
export class HostClock implements Clock {
  /** How far it is ahead of the system's clocks, in ms. */
  #ahead = 0
  /** Where it stands; `undefined`: it runs. */
  #stands: { monotonic: number; wall: number } | undefined
  /** What runs by it now: an engine that failed has a successor. */
  #driven: () => Driven | undefined = () => undefined
  /** Calls wait for those before. */
  #last: Promise<unknown> = Promise.resolve()

  readonly #wasManual: boolean

  constructor(isManual = false) {
    this.#wasManual = isManual
    this.restore()
  }

  /** Stands or runs as it did when it was made. */
  restore(): void {
    if (this.#wasManual) this.pause()
    else this.resume()
  }

  /** Tells it what to run. */
  drive(driven: () => Driven | undefined): void {
    this.#driven = driven
  }

  /** In ms since a moment of its choice; never goes back. For deadlines. */
  get monotonic(): number {
    return this.#stands?.monotonic ?? monotonic() + this.#ahead
  }

  get now(): number {
    return this.#stands?.wall ?? wall() + this.#ahead
  }

  get isManual(): boolean {
    return this.#stands !== undefined
  }

  pause(): void {
    // The engine counts whole ms.
    this.#stands ??= { monotonic: Math.ceil(this.monotonic), wall: this.now }
    this.#driven()?.rearm()
  }

  resume(): void {
    if (this.#stands === undefined) return
    this.#ahead = this.#stands.monotonic - monotonic()
    this.#stands = undefined
    this.#driven()?.rearm()
  }

  advance(time: Duration): Promise<void> {
    return this.#queue('advance', async () => {
      const end = this.#expectStanding('advance').monotonic + duration(time, 'clock.advance')
      await this.#settle(this.#snapshot())
      for (let count = 0, before = -1; ; ) {
        const deadline = this.#driven()?.deadline
        if (deadline === undefined || deadline > end) break
        count = deadline <= before ? count + 1 : 0
        if (count > MOST_AT_ONCE) throw new Error(`clock.advance: the timer that is due at ${deadline} ms never ends`)
        before = Math.max(before, deadline)
        await this.#run(deadline)
      }
      this.#moveTo(end)
    })
  }

  runNext(): Promise<number | undefined> {
    return this.#queue('runNext', async () => {
      const start = this.#expectStanding('runNext').monotonic
      await this.#settle(this.#snapshot())
      const deadline = this.#driven()?.deadline
      if (deadline === undefined) return undefined
      await this.#run(deadline)
      return Math.max(0, deadline - start)
    })
  }

  #queue<T>(what: string, run: () => Promise<T>): Promise<T> {
    try {
      this.#expectStanding(what)
    } catch (error) {
      return Promise.reject(error)
    }
    const done = this.#last.then(run)
    this.#last = done.catch(() => {})
    return done
  }

  #expectStanding(what: string): { monotonic: number; wall: number } {
    if (this.#stands) return this.#stands
    throw new Error(`clock.${what}: this clock shows real time; write clock: 'manual' in the options, or call clock.pause() before`)
  }

  /** Runs what is due at a time, and waits for what it started. */
  async #run(deadline: number): Promise<void> {
    const before = this.#snapshot()
    this.#moveTo(deadline)
    this.#driven()?.wake()
    await this.#settle(before)
  }

  #moveTo(time: number): void {
    // It may have been started meanwhile.
    const stands = this.#stands
    if (stands === undefined || time <= stands.monotonic) return
    this.#stands = { monotonic: time, wall: stands.wall + (time - stands.monotonic) }
  }

  /** What is under way. */
  #snapshot(): ReadonlySet<object> {
    const driven = this.#driven()
    return new Set(driven && [...driven.pending(), ...driven.pinged])
  }

  /**
   * Waits until nothing is under way any more but what was `before`. Clients in this process answer within a few rounds of
   * Node's loop; pongs of others take longer.
   */
  async #settle(before: ReadonlySet<object>): Promise<void> {
    const start = monotonic()
    let activity = -1
    let quiet = 0
    while (quiet < QUIET_ROUNDS) {
      const passed = monotonic() - start
      if (passed > PATIENCE) return
      await new Promise((resolve) => (passed < EAGER ? setImmediate(resolve) : setTimeout(resolve, 1)))
      const driven = this.#driven()
      if (driven === undefined) return
      const isWaiting =
        driven.isBusy ||
        [...driven.pending()].some((one) => !before.has(one)) ||
        (passed < PONG_PATIENCE && [...driven.pinged].some((one) => !before.has(one)))
      quiet = isWaiting || driven.activity !== activity ? 0 : quiet + 1
      activity = driven.activity
    }
  }
}
