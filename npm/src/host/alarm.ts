/** Wakes the engine when it has something to do by itself. */

/** setTimeout takes no longer time. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** One timer, set to the earliest time that it was asked for. */
export class Alarm {
  readonly #ring: () => void
  #timer: NodeJS.Timeout | undefined
  #deadline: number | undefined

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings at this time, in ms of `performance.now()`, unless it does so earlier anyway; `undefined`: never. */
  set(deadline: number | undefined): void {
    if (deadline === undefined || (this.#deadline !== undefined && this.#deadline <= deadline)) return
    clearTimeout(this.#timer)
    this.#deadline = deadline
    const wait = Math.min(Math.max(1, Math.ceil(deadline - performance.now())), LONGEST_TIMEOUT)
    this.#timer = setTimeout(() => {
      this.#deadline = undefined
      this.#ring()
    }, wait)
    // A process that has nothing else to do may end.
    this.#timer.unref()
  }

  /** Rings no more. */
  stop(): void {
    clearTimeout(this.#timer)
  }
}
