/**
 * The system's clocks and timers as they were when this was loaded: fake timers of test runners replace the global ones,
 * while a server has to go on.
 */

import { performance } from 'node:perf_hooks'

export { clearTimeout, setImmediate, setTimeout } from 'node:timers'

/** What an engine is told of the time. */
export interface Time {
  /** In ms since a moment of its choice; never goes back. */
  readonly monotonic: number
  /** In ms since 1970. */
  readonly now: number
}

/** Ms of the system's monotonic clock. */
export const monotonic: () => number = performance.now.bind(performance)

/** Ms since 1970. */
export const wall: () => number = Date.now.bind(Date)

export const queueMicrotask: (run: () => void) => void = globalThis.queueMicrotask.bind(globalThis)

export const nextTick: (run: () => void) => void = process.nextTick.bind(process)
