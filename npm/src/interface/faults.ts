/** Faults that are switched on and off while the server runs. */

import type { Condition, Fault } from './configuration.js'

/** The connections that faults are for. Default all. */
export interface FaultScope {
  /** Those of a route, by its pattern with its prefix or without, or those whose whole path matches this pattern. */
  pattern?: string | null
  /** Those that are in this room. */
  room?: string | null
}

/** Faults that were added together. */
export interface FaultHandle {
  /**
   * Takes them back, and returns whether they were still there. What they have delayed still comes late; a connection that
   * they have made half open is heard again.
   */
  remove(): boolean
  /** As {@link remove}: for `using`. */
  [Symbol.dispose](): void
}

/** Lets things go wrong on purpose for one connection. */
export interface ConnectionFaults {
  /**
   * Adds one fault, several, or those of a condition; they go with the connection, and nothing happens to one that
   * is closed. Throws what is wrong with them.
   */
  add(faults: Fault | Fault[] | Condition): FaultHandle
}

/** Lets things go wrong on purpose, to test how clients take it. It comes on top of the faults of the configuration. */
export interface Faults {
  /**
   * Adds one fault, several, or those of a condition. They happen to open connections from now on, and to those that come;
   * with `on: 'open'` and `times`, to the next so many. Throws what is wrong with them, and when there are more than 1000.
   */
  add(faults: Fault | Fault[] | Condition, scope?: FaultScope | null): FaultHandle
  /** Takes back all that were added, also those of single connections. */
  clear(): void
}
