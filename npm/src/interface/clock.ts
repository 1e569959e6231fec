/** The clock of a server. */

import type { Duration } from '../values/duration.js'

/** Shows a server its time: the real one, or with `clock: 'manual'` one that only moves when it is told to. */
export interface Clock {
  /** The time that callbacks' placeholders and timestamps show, in ms since 1970. */
  readonly now: number
  /** Whether it only moves when it is told to. */
  readonly isManual: boolean
  /**
   * Moves on by so many ms, or by text such as `'30s'`, and runs everything that is due on the way in exact order:
   * heartbeats, timeouts, delays, feeds, retries. Before each next timer it waits for what the one before has started:
   * callbacks, files that are read, connections that are opened, pongs; for at most a second of real time, so that a
   * callback that never ends holds up nothing. Calls queue up. Rejects where the clock is not manual.
   */
  advance(time: Duration): Promise<void>
  /**
   * Moves on to the next timer and runs it, as {@link advance} does. Resolves with the ms that passed; with `undefined` if
   * nothing is due ever.
   */
  runNext(): Promise<number | undefined>
  /** From now on time stands still, as with `clock: 'manual'`. */
  pause(): void
  /** From now on time passes by itself, beginning where it stood. */
  resume(): void
}
