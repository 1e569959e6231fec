/** What a running server makes of another configuration. */

/** What became of routes and connections when a running server took another configuration. */
export interface Reconfiguration {
  /** How many routes are as they were. */
  unchanged: number
  /** How many routes have other settings, or other functions. */
  changed: number
  /** How many routes are new. */
  added: number
  /** How many routes are no longer there. */
  removed: number
  /** How many connections go on. */
  kept: number
  /** How many connections are closed with 1012, or refused with 503 while their opening handshake is under way. */
  closed: number
  /** All of it as one line: `2 routes changed, 1 added; 14 connections kept, 3 closed`. */
  summary: string
}
