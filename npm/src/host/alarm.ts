/** Wakes the engine when it has something to do by itself. */

import { clearTimeout, setTimeout } from '../engine/time.js'

/** What an alarm goes by. */
interface AlarmClock {
  /** In ms since a moment of its choice. */
  readonly monotonic: number
  /** Whether it only moves when it is told to. */
  readonly isManual: boolean
}

const TIMERS = { setTimeout, clearTimeout }

/** setTimeout takes no longer time. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** One timer, set to the earliest time that it was asked for. */
export class Alarm {
  readonly #clock: AlarmClock
  readonly #ring: () => void
  readonly #timers: Pick<typeof TIMERS, 'setTimeout' | 'clearTimeout'>
  #timer: NodeJS.Timeout | undefined
  #deadline: number | undefined

  constructor(clock: AlarmClock, ring: () => void, timers: Pick<typeof TIMERS, 'setTimeout' | 'clearTimeout'> = TIMERS) {
    this.#clock = clock
    this.#timers = timers
    this.#ring = ring
  }

  /**
   * Rings at this time, in ms of the clock, unless it does so earlier anyway; `undefined`: never. Of a clock that only moves
   * when it is told to it does not: that one runs what is due itself.
   */
  set(deadline: number | undefined): void {
    if (deadline === undefined || this.#clock.isManual || (this.#deadline !== undefined && this.#deadline <= deadline)) return
    this.#timers.clearTimeout(this.#timer)
    this.#deadline = deadline
    const wait = Math.min(Math.max(1, Math.ceil(deadline - this.#clock.monotonic)), LONGEST_TIMEOUT)
    this.#timer = this.#timers.setTimeout(() => {
      this.#deadline = undefined
      this.#ring()
    }, wait)
    // A process that has nothing else to do may end.
    this.#timer.unref()
  }

  /** Rings no more, until it is set again. */
  stop(): void {
    this.#timers.clearTimeout(this.#timer)
    this.#deadline = undefined
  }
}
