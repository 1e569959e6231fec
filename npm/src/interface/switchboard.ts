/** A running Switchboard, and what it takes and gives. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Http2SecureServer } from 'node:http2'
import type { Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'

import type { Clock } from './clock.js'
import type { ControlAccess } from './control.js'
import type { Faults } from './faults.js'
import type { Recordings } from './recordings.js'
import type { Route } from './route.js'
import type { Stats } from './control-api.js'

/** The close frame that clients get when a server stops. */
export interface CloseOptions {
  /** The close code that clients get. Default `1001`. */
  code?: number | null
  /** The close reason, at most 123 bytes. Default `''`. */
  reason?: string | null
  /** How long in ms clients may take to answer; then they are dropped. Default: the option `shutdownGrace`. */
  grace?: number | null
}

/** A running Switchboard. */
export interface Switchboard {
  /** Takes an upgrade request if it is for this server, and returns whether it is. */
  readonly upgrade: Upgrade
  /** Answers a plain HTTP request if it is for a path of a dialect or feed, and returns whether it is. */
  readonly request: Handle
  /** The patterns of all endpoints, with their prefixes. */
  readonly patterns: string[]
  /** Publishes a value on a feed. Throws a `TypeError` for a value that JSON does not have. */
  publish(feed: string, value: unknown): void
  /**
   * A route, to send to its clients, to list, count or close them without being in one of its callbacks. `pattern` is the
   * route's, with its prefix or without. Throws if there is none.
   */
  route(pattern: string): Route
  /**
   * Gives a command to a route's dialect: `broadcast` with `{ topic, event, payload }` in `phoenix`, `publish` with
   * `{ channel, message }` in `actions`. `pattern` is the route's, with its prefix or without. Throws if the route does
   * not know it.
   */
  command(pattern: string, name: string, payload: unknown): void
  /** Lets things go wrong on purpose while the server runs, to test how clients take it. */
  readonly faults: Faults
  /** Records what passes while the server runs, in files. */
  readonly recordings: Recordings
  /** Statistics of this moment: for a page, or a test that waits until all connections are gone. */
  stats(): Stats
  /** How its control API is reached; `undefined` while that is off. */
  readonly control: ControlAccess | undefined
  /** Its time; with the option `clock: 'manual'` it only moves when it is told to. */
  readonly clock: Clock
  /**
   * Takes no more connections, and closes all. Resolves when all are gone. Rejects with a `RangeError` for a code that
   * must not be sent, and closes nothing.
   */
  close(options?: CloseOptions | null): Promise<void>
  /** As {@link close} without options: for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A server of Node's that emits `upgrade`. */
export type HttpServer = Server | HttpsServer | Http2SecureServer

/**
 * Takes an upgrade request if it is for this server, and returns whether it is. Otherwise it is left as it is, for other
 * listeners. `head` is what came behind the request; without it, nothing came.
 */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head?: Buffer | null) => boolean

/**
 * Answers a plain HTTP request if it is for a path of this server, and returns whether it is. Otherwise it is left as it
 * is, for other listeners.
 */
export type Handle = (request: IncomingMessage, response: ServerResponse) => boolean
