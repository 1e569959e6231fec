/** A route from outside of its callbacks: from a timer, a test, an HTTP handler. */

import type { Audience, Room, Route } from '../interface/route.js'
import { closeCode, closeReason, name } from '../values/arguments.js'
import { toPayload, type Payload } from '../values/payload.js'
import { addAll } from './faults.js'
import type { Host } from './host.js'

/** Where a route is served: its host, and its number there. */
export interface Place {
  host: Host
  route: number
}

/** Finds a route anew for each use; in Vite its server may start later than the handle is made. */
type Find = () => Place[]

/** A route by its pattern. */
export function routeAt(pattern: string, find: Find): Route {
  const place = { pattern, room: (room: string) => roomAt(pattern, name(room, 'room'), find) }
  return {
    ...place,
    ...audience(pattern, find, undefined),
    rooms: () => find().flatMap(({ host, route }) => host.routes.rooms(route)),
    connection: (id) => first(find(), ({ host, route }) => host.routes.connection(route, name(id, 'connection'))),
    command: (command, payload) => {
      for (const { host, route } of find()) host.routes.command(route, undefined, name(command, 'command: name'), payload)
    },
  }
}

function roomAt(pattern: string, room: string, find: Find): Room {
  return { name: room, ...audience(pattern, find, room) }
}

function audience(pattern: string, find: Find, room: string | undefined): Audience {
  const total = (count: (place: Place) => number): number => find().reduce((sum, place) => sum + count(place), 0)
  return {
    send: (data) => {
      const message: Payload | undefined = toPayload(data)
      return message === undefined ? 0 : total(({ host, route }) => host.routes.send(route, room, message))
    },
    connections: () => find().flatMap(({ host, route }) => host.routes.connections(route, room)),
    count: () => total(({ host, route }) => host.routes.count(route, room)),
    faults: { add: (faults) => addAll(find().map(({ host }) => host), faults, pattern, room) },
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
