/** What connections, routes and callbacks ask of their host. */

import type { ConnectionId } from '../engine/actor.js'
import type { Core } from '../engine/wasm.js'
import type { WebSocketConnection } from '../interface/connection.js'
import type { Log } from '../log/log.js'
import type { Payload } from '../values/payload.js'
import type { Socket } from './socket.js'

/** Sees what passes a host. It changes nothing, and must not throw. */
export interface Observer {
  /** An opening handshake was answered with this 101. */
  accepted(socket: Socket, head: Buffer): void
  /** It was answered with something else. */
  refused(socket: Socket, response: Buffer): void
  /** Bytes came; they are about to be read. */
  received(socket: Socket, chunk: Buffer): void
  /** Frames are written. */
  wrote(socket: Socket, frames: Buffer | Buffer[]): void
  /** The transport is gone. */
  gone(socket: Socket): void
  /** A function of the user threw, and no `onError` of its route takes that. `what` names it. */
  failed(what: string, error: unknown): void
  /** A turn is over: what came before was handled, as far as no function is awaited. */
  turned(): void
}

/** The host of an engine: the engine is told and asked by it alone. */
export interface Host {
  readonly log: Log
  /** Sees what passes, in tests. */
  readonly observer: Observer | undefined
  /** The routes, from outside of their callbacks. */
  readonly routes: HostRoutes
  /** Bytes came. */
  receive(socket: Socket, chunk: Buffer): void
  /** The socket has room again. */
  drained(id: ConnectionId): void
  /** The transport is gone; `isKnown`: the engine still counts on it. */
  gone(socket: Socket, isKnown: boolean): void
  /** Sends a message to a client; `undefined` is none. */
  send(id: ConnectionId, message: Payload | undefined): void
  /** Sends a message in the name of a client, to members of `rooms` or to everyone on its handler. */
  broadcast(id: ConnectionId, message: Payload | undefined, rooms: string[] | undefined, includeSelf: boolean): void
  /** Sends a message in the name of a client, to all its rooms. */
  broadcastAllRooms(id: ConnectionId, message: Payload | undefined, includeSelf: boolean): void
  /** Tells the engine something, and gives back its errors. */
  input<T>(call: (core: Core) => T): T | undefined
  /** As {@link input}, with a message; with `undefined` nothing happens. */
  inputWith<T>(message: Payload | undefined, call: (core: Core, kind: number, length: number) => T): T | undefined
  /** A message came on a connection to another server. */
  receivedUpstream(upstream: number, kind: number, message: Buffer): void
  /** Tells the engine that a hook is done, and has nothing to say. */
  done(call: number): void
  /** Tells the engine the answer of a hook. */
  answer(call: (core: Core) => void): void
  /** As {@link answer}, with a message; `undefined` is none. */
  answerWith(message: Payload | undefined, call: (core: Core, kind: number, length: number) => void): void
  /** Waits until what is to be appended to files by now is written. */
  filesWritten(): Promise<void>
  /** Asks the engine something; `otherwise` when it cannot answer any more. */
  ask<T>(question: (core: Core) => T, otherwise: T): T
}

/** The routes of a host, by their numbers. */
export interface HostRoutes {
  /** Sends a message to everyone on a route or in its room; to how many. */
  send(route: number, room: string | undefined, message: Payload): number
  /** Starts the closing handshake with everyone on a route or in its room; with how many. */
  close(route: number, room: string | undefined, code: number, reason: string): number
  /** How many are open on a route or in its room. */
  count(route: number, room: string | undefined): number
  /** The rooms of a route that have members. */
  rooms(route: number): string[]
  /** Who is open on a route or in its room. */
  connections(route: number, room: string | undefined): WebSocketConnection[]
  /** Who is open on a route under this id. */
  connection(route: number, id: string): WebSocketConnection | undefined
  /** Gives a command to a route's dialect, in the name of a client if there is one. Throws what it does not take. */
  command(route: number, id: ConnectionId | undefined, name: string, payload: unknown): void
}
