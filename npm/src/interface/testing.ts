/** Servers for tests. */

import type { IncomingMessage } from 'node:http'

import type { Duration } from '../values/duration.js'
import type { Clock } from './clock.js'
import type { WebSocketConnection } from './connection.js'
import type { DefinedHandler } from './definition.js'
import type { ConnectionFaults, Faults } from './faults.js'
import type { Recordings } from './recordings.js'
import type { RouteOptions } from './handler.js'
import type { SwitchboardOptions } from './options.js'
import type { HttpServer, Switchboard } from './switchboard.js'

/** A handler, or a route of a dialect. Without a `pattern` it is for every path. */
export type TestHandler = Omit<RouteOptions, 'pattern'> & { pattern?: string }

/** A module whose default export is a handler or a list of them, and which may export others by name. */
export interface HandlerModule {
  readonly default: unknown
}

/**
 * What a server for tests serves:
 *
 * - a handler, or a list of them; also a module that exports handlers as handler files do,
 * - the path of a configuration file (`.toml`, `.json`), or a glob of handler files; relative to the working directory,
 * - options, as of `attach`.
 *
 * Nothing: it accepts every connection, and notes what clients send.
 */
export type Serves = TestHandler | DefinedHandler<string | undefined> | TestHandler[] | HandlerModule | string | ServeOptions

/** Options of a server for tests, besides those of `attach`. */
export interface ServeOptions extends Omit<SwitchboardOptions, 'origins' | 'allowedHosts'> {
  /** The prefix or prefixes of handlers that name none themselves. Default: none, patterns are whole paths. */
  endpointPrefix?: string | string[]
  /** Globs of handler files, as of the plugin. Default: none. */
  files?: string | string[]
  /** As of `attach`. Default `'*'`: a test may come from anywhere. */
  origins?: string | string[]
  /** As of `attach`. Default `true`. */
  allowedHosts?: true | string[]
  /** How long in ms a call or a matcher waits for what it was asked for. Default `1000`. */
  timeout?: number
  /** Serves on this running server instead of one of its own: only the paths of its routes. */
  server?: HttpServer
}

/** How long to wait. */
export interface WaitOptions {
  /** In ms of real time. Default: the option `timeout` of the server. */
  timeout?: number
}

/** What a value has to be: a value to be equal to, in which asymmetric matchers may stand; or a function that decides. */
export type Expected = unknown | ((value: any) => boolean)

/** How a connection ended. */
export interface Closure {
  /** The close code. `1005`: a close frame without one; `1006`: no close frame. */
  code: number
  reason: string
  /** Who sent its close frame first; with `1006` who dropped the connection is not known. */
  by: 'client' | 'server' | undefined
}

/** An opening handshake that was answered with something else than 101. */
export interface Refusal {
  path: string
  status: number
}

/** A connection of a client under test, seen from the server. */
export interface TestConnection {
  /** As `conn.id` of handlers. */
  readonly id: string
  /** The path of its opening handshake, without the query. */
  readonly path: string
  /** The path with the query. */
  readonly url: string
  /** Its opening handshake. */
  readonly request: IncomingMessage
  /** The subprotocol both sides agreed on. */
  readonly subprotocol: string | undefined
  /** The connection as handlers see it: rooms, `metadata`, `authData`. */
  readonly connection: WebSocketConnection
  /** What the client has sent: JSON as its value, other text as text, binary as a `Buffer`. */
  readonly received: unknown[]
  /** What the server has sent, in the same form. */
  readonly sent: unknown[]
  /** Whether messages can be sent and come. */
  readonly isOpen: boolean
  /** How it ended; `undefined` before that. */
  readonly closure: Closure | undefined
  /** Lets things go wrong for it on purpose: `faults.add({ on: 'send', latency: 400 })`. */
  readonly faults: ConnectionFaults
  /** The next message that was not read yet and matches; those before it stay unread. */
  next(expected?: Expected, options?: WaitOptions): Promise<any>
  /** Waits until it has ended. */
  ended(options?: WaitOptions): Promise<Closure>
  /** Sends text as text, binary as binary, anything else as JSON. */
  send(data: unknown): void
  /** Starts the closing handshake; done when the connection is gone. Defaults `1000` and `''`. */
  close(code?: number, reason?: string): Promise<void>
  /** Drops it without a close frame: the client sees 1006. */
  terminate(): void
  /** Sends a ping. */
  ping(payload?: string | Uint8Array): void
}

/** A server for tests. */
export interface TestServer {
  /** The port, on 127.0.0.1. */
  readonly port: number
  /** The `ws://` URL of a path. Default `/`. */
  url(path?: string): string
  /** Who is connected, in the order in which they came. */
  readonly connections: TestConnection[]
  /**
   * The next connection: the oldest one that this was not asked for yet, open or not, or the one that comes. `which`: its
   * path, or a function that decides.
   */
  connection(which?: string | ((connection: TestConnection) => boolean), options?: WaitOptions): Promise<TestConnection>
  /** What all clients have sent, in the order in which it came. */
  readonly received: unknown[]
  /** The next message of any client that was not read yet and matches; those before it stay unread. */
  next(expected?: Expected, options?: WaitOptions): Promise<any>
  /** Sends to everyone. Returns to how many. */
  send(data: unknown): number
  /** Opening handshakes that were refused. */
  readonly refusals: Refusal[]
  /** What handlers threw that have no `onError`; take out what a test expects. */
  readonly errors: unknown[]
  /** The lines of the log. */
  readonly log: string[]
  /**
   * Serves these handlers before those that there are, in place of those with the same pattern. Connections stay where
   * their route does. Handlers are served when this returns, files when its promise is done.
   */
  use(what: Serves): Promise<void>
  /** Serves what {@link serve} was given, or these handlers instead, from now on. */
  resetHandlers(what?: Serves): Promise<void>
  /** Its time. With the option `clock: 'manual'`, or after `clock.pause()`, it only moves when it is told to. */
  readonly clock: Clock
  /** Lets things go wrong on purpose: `faults.add({ on: 'open', hang: true })`, or `faults.add('flaky')`; until {@link reset}. */
  readonly faults: Faults
  /** Records what passes, in files: `await using recording = server.recordings.start('chat.jsonl')`. */
  readonly recordings: Recordings
  /** The running Switchboard: routes, rooms, feeds, commands. */
  readonly switchboard: Switchboard
  /** Drops all connections, and has new ones reset at once, until {@link up}. */
  down(): void
  /** Takes connections again. */
  up(): void
  /** Answers the next opening handshakes with this HTTP status. Default of `times`: all, until {@link reset}; 0: none. */
  refuse(status: number, options?: { times?: number; headers?: Record<string, string> }): void
  /** Undoes all that a test did, and drops all connections: as new, on the same port. */
  reset(): Promise<void>
  /**
   * Throws what should fail a test at its end: what handlers threw, connections that are still open (after a short wait for
   * those that are closing), and with `unread` messages that nothing has looked at.
   */
  verify(options?: VerifyOptions): Promise<void>
  /** Ends it; clients get the close code 1001. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What should fail a test at its end. */
export interface VerifyOptions {
  /** Whether connections may still be open. Default `false`. */
  leftovers?: boolean
  /** Whether every message of a client must have been read, by `next` or a matcher. Default `false`. */
  unread?: boolean
  /** Whether handlers may have thrown. Default `false`. */
  errors?: boolean
  /** Whether messages may have broken the contract of their route. Default `false`. */
  violations?: boolean
  /** Whether clients may have sent what the recording or the scenario of their route does not expect. Default `false`. */
  mismatches?: boolean
}

export type { Duration }
