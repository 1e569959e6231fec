/** Routes and rooms from outside of their callbacks. */

import type { WebSocketConnection } from './connection.js'
import type { ConnectionFaults } from './faults.js'

/** Who is open on a route, or in a room of it. */
export interface Audience {
  /**
   * Sends to all of them, encoded as by `send` of a connection: text as text, bytes as binary, nothing for `undefined`
   * and anything else as JSON. It is sent as it is, whatever the route's dialect; for messages of the dialect use
   * `command` of the route. Returns to how many.
   */
  send(data: unknown): number
  /** The connections, in the order in which they came. */
  connections(): WebSocketConnection[]
  /** How many there are. */
  count(): number
  /** Lets things go wrong on purpose for them, and for those that come. */
  readonly faults: ConnectionFaults
  /**
   * Starts the closing handshake with all of them; new clients are admitted as before. Returns with how many. Throws a
   * `RangeError` for a code that must not be sent. Defaults `1000` and `''`.
   */
  close(code?: number, reason?: string): number
}

/** A room of a route. It need not exist: then it has no members. */
export interface Room extends Audience {
  /** The room's name. */
  readonly name: string
}

/** A route, as long as its server runs. */
export interface Route extends Audience {
  /** The pattern as it was asked for. */
  readonly pattern: string
  /** A room of it. */
  room(name: string): Room
  /** The names of the rooms that have members, in no particular order. */
  rooms(): string[]
  /** The open connection with this `id`. */
  connection(id: string): WebSocketConnection | undefined
  /** Gives a command to the route's dialect, as `command` of the server. Throws if the route does not know it. */
  command(name: string, payload?: unknown): void
}
