/** Routes from outside of their callbacks: lists and counts their connections, sends to them and closes them. */

import type { Sockets } from '../connection/sockets.js'
import type { ConnectionId } from '../engine/actor.js'
import type { WebSocketConnection } from '../interface/connection.js'
import type { Payload } from '../values/payload.js'
import type { Host } from './host.js'

/** The routes of one host, by their numbers. When the engine has failed, they are empty. */
export class Routes {
  readonly #host: Host
  readonly #sockets: Sockets

  constructor(host: Host, sockets: Sockets) {
    this.#host = host
    this.#sockets = sockets
  }

  /** All patterns that are served, with their prefixes. */
  patterns(): string[] {
    return this.#host.ask((core) => core.patterns(), [])
  }

  /** The number of the route with this pattern, as it was written or with one of its prefixes. */
  find(pattern: string): number | undefined {
    return this.#host.ask((core) => core.route(pattern), undefined)
  }

  /** Sends a message to everyone on a route or in its room; to how many. */
  send(route: number, room: string | undefined, message: Payload): number {
    return this.#host.inputWith(message, (core, kind, length) => core.route_send(route, room, kind, length)) ?? 0
  }

  /**
   * Starts the closing handshake with everyone on a route or in its room; with how many. Throws a `RangeError` for a code
   * that must not be sent.
   */
  close(route: number, room: string | undefined, code: number, reason: string): number {
    const count = this.count(route, room)
    const wrong = this.#host.input((core) => core.route_close(route, room, code, reason))
    if (wrong !== undefined) throw new RangeError(wrong)
    return count
  }

  /** How many are open on a route or in its room. */
  count(route: number, room: string | undefined): number {
    return this.#host.ask((core) => core.route_count(route, room), 0)
  }

  /** The rooms of a route that have members. */
  rooms(route: number): string[] {
    return this.#host.ask((core) => core.route_rooms(route), [])
  }

  /** Who is open on a route or in its room, as handlers see them. */
  connections(route: number, room: string | undefined): WebSocketConnection[] {
    return this.#connections(route, this.#host.ask((core) => core.route_connections(route, room), undefined))
  }

  /** Who is open on a route under this id. */
  connection(route: number, id: string): WebSocketConnection | undefined {
    return this.#connections(route, this.#host.ask((core) => core.route_connection(route, id), undefined))[0]
  }

  /** Has a route's dialect do something, in the name of a client if there is one. Throws what it does not take. */
  command(route: number, id: ConnectionId | undefined, name: string, payload: unknown): void {
    const text = JSON.stringify(payload) ?? 'null'
    const wrong = this.#host.input((core) => core.dialect_command(route, id?.slot, id?.generation ?? 0, name, text))
    if (wrong !== undefined) throw new Error(wrong)
  }

  #connections(route: number, ids: Uint32Array | undefined = new Uint32Array()): WebSocketConnection[] {
    const connections: WebSocketConnection[] = []
    for (let index = 0; index < ids.length; index += 2) {
      const socket = this.#sockets.find(ids[index]!, ids[index + 1]!)
      // One that is accepted with the next turn has no name yet.
      if (!socket?.name) continue
      socket.route = route
      connections.push(socket.connection)
    }
    return connections
  }
}
