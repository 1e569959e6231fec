/** A route from outside of its callbacks: from a timer, a test, an HTTP handler. */

import { encode, type Encoded } from '../callbacks/payload.js'
import type { Host } from '../host/host.js'
import { closeCode, closeReason, name } from './arguments.js'
import type { WebSocketConnection } from './connection.js'

/** Who is open on a route, or in a room of it. */
export interface Audience {
  /**
   * Sends to all of them, encoded as `send` of a connection does: text as text, bytes as binary, nothing for `undefined`
   * and anything else as JSON. What a dialect puts around its messages is not added; `command` of the route does that.
   * Gives to how many.
   */
  send(data: unknown): number
  /** All of them, in the order in which they came. */
  connections(): WebSocketConnection[]
  /** How many there are. */
  count(): number
  /**
   * Starts the closing handshake with all of them; newcomers are let in as before. Gives with how many. Throws a
   * `RangeError` for a code that must not be sent. Defaults `1000` and `''`.
   */
  close(code?: number, reason?: string): number
}

/** A room of a route. It need not exist: then nobody is in it. */
export interface Room extends Audience {
  /** What its members joined. */
  readonly name: string
}

/** A route, as long as its server runs. */
export interface Route extends Audience {
  /** The pattern as it was asked for. */
  readonly pattern: string
  /** A room of it. */
  room(name: string): Room
  /** The names of the rooms with somebody in them, in no particular order. */
  rooms(): string[]
  /** The open connection with this `id`. */
  connection(id: string): WebSocketConnection | undefined
  /** Has the route's dialect do what only it knows, as `command` of the server. Throws what the route does not know. */
  command(name: string, payload?: unknown): void
}

/** Where a route is served: its host, and its number there. */
export interface Place {
  host: Host
  route: number
}

/** Finds a route anew for each use; in Vite its server may start later than the handle is made. */
type Find = () => Place[]

/** A route by its pattern. */
export function routeAt(pattern: string, find: Find): Route {
  const place = { pattern, room: (room: string) => roomAt(name(room, 'room'), find) }
  return {
    ...place,
    ...audience(find, undefined),
    rooms: () => find().flatMap(({ host, route }) => host.routes.rooms(route)),
    connection: (id) => first(find(), ({ host, route }) => host.routes.connection(route, name(id, 'connection'))),
    command: (command, payload) => {
      for (const { host, route } of find()) host.routes.command(route, undefined, name(command, 'command: name'), payload)
    },
  }
}

function roomAt(room: string, find: Find): Room {
  return { name: room, ...audience(find, room) }
}

function audience(find: Find, room: string | undefined): Audience {
  const total = (count: (place: Place) => number): number => find().reduce((sum, place) => sum + count(place), 0)
  return {
    send: (data) => {
      const message: Encoded | undefined = encode(data)
      return message === undefined ? 0 : total(({ host, route }) => host.routes.send(route, room, message))
    },
    connections: () => find().flatMap(({ host, route }) => host.routes.connections(route, room)),
    count: () => total(({ host, route }) => host.routes.count(route, room)),
    close: (code = 1000, reason = '') => {
      const [number, text] = [closeCode(code, 'close'), closeReason(reason, 'close')]
      return total(({ host, route }) => host.routes.close(route, room, number, text))
    },
  }
}

function first<T, R>(all: T[], of: (one: T) => R | undefined): R | undefined {
  for (const one of all) {
    const found = of(one)
    if (found !== undefined) return found
  }
  return undefined
}
