/** A client as handlers see it. */

import type { IncomingMessage } from 'node:http'

import type { ConnectionFaults } from './faults.js'

/** The opening handshake's request. */
export interface UpgradeRequest<Params = Record<string, string>> extends IncomingMessage {
  /** What the pattern's `{name}` parts stood for, not URL-decoded; `{}` when it has none. */
  params: Params
}

/** Who receives a broadcast. */
export interface BroadcastOptions {
  /** The members of this room. Default, and with an empty text: everyone on the handler. */
  room?: string | null
  /** The members of any of these rooms, each once; with `[]` nobody. Together with `room`: of that one too. */
  rooms?: Iterable<string> | null
  /** Also this connection, if it is among them. Default `false`. */
  includeSelf?: boolean | null
}

/**
 * One client of a handler. After it is closed everything here does nothing. Arguments that make no sense throw a
 * `TypeError` that says what to write.
 */
export interface WebSocketConnection<AuthData = any, Params = Record<string, string>, Sends = unknown> {
  /** Unique: a version 4 UUID. */
  readonly id: string
  /** The whole path, prefix included, without the query. */
  readonly path: string
  /** The opening handshake's request; `req.params` holds what the pattern's `{name}` parts stood for. */
  readonly req: UpgradeRequest<Params>
  /** What `authenticate` returned as `data`. Default `undefined`. */
  readonly authData: AuthData
  /** The subprotocol both sides agreed on. Default `undefined`. */
  readonly subprotocol: string | undefined
  /** Whether nothing can be sent any more. */
  readonly closed: boolean
  /** A place for your own data. Default `{}`. */
  metadata: Record<string, any>
  /** The rooms the connection is in, always as they are now; adding and deleting joins and leaves. */
  readonly rooms: Set<string>
  /** Lets things go wrong on purpose for this connection. */
  readonly faults: ConnectionFaults

  /** Sends text as text, bytes as binary, nothing for `undefined`, and anything else as JSON. */
  send(data: Sends): Promise<void>
  /** Sends to the others on this handler, or in rooms of it. */
  broadcast(data: Sends, options?: BroadcastOptions | null): void
  /** Sends to all rooms this connection is in, to each member once; without rooms to everyone on the handler. */
  broadcastAllRooms(data: Sends, includeSelf?: boolean | null): void
  /** Sends a ping of at most 125 bytes. */
  ping(payload?: string | Uint8Array | null): void
  /** Sends an unsolicited pong of at most 125 bytes. */
  pong(payload?: string | Uint8Array | null): void
  /**
   * Starts the closing handshake; done when the connection is gone and `onClose` has run. Inside of a callback of the
   * same connection, which `onClose` comes after, it is done when the connection is gone. A code that must not be sent
   * rejects with a `RangeError`, no number or no text with a `TypeError`; the connection stays open. Defaults `1000`
   * and `''`.
   */
  close(code?: number, reason?: string): Promise<void>
  /** Drops the connection without a close frame; the client sees 1006. */
  forceClose(): void
  /** Joins a room of this handler. */
  joinRoom(room: string): void
  /** Leaves a room. */
  leaveRoom(room: string): void
  /**
   * Has the client take part in the route's `history` from now on, as `switchboard-history` in its query does, for
   * clients that ask by a message of their own. It joins the room, is told how far the room is, and after a `position`
   * that it was told before gets just what it has missed since, or `recovered: false`. From now on messages to its rooms
   * come in envelopes. Without `history` on the route it throws a `RangeError`. Default of `room`: everyone on the
   * handler; of `position`: none, so that nothing was missed.
   */
  recover(room?: string | null, position?: string | null): void
  /** Whether the connection is in this room. */
  isInRoom(room: string): boolean
  /** The rooms, in the order they were joined. */
  getRooms(): string[]
  /** Pings at this interval in ms, and closes after three pings without a pong. */
  startHeartbeat(ms: number): void
  /** Stops the heartbeat. */
  stopHeartbeat(): void
  /** Closes after this many ms of silence. */
  startInactivityTimeout(ms: number): void
  /** Starts to measure the silence anew, with `ms` as its limit. */
  resetInactivityTimer(ms: number): void
  /** Stops the inactivity timeout. */
  stopInactivityTimeout(): void
  /** Resets the number of missed pongs. */
  resetMissedPong(): void
}
