/** How much a server holds. */

import type { Core } from './wasm.js'

/**
 * What there is at one moment. With nobody connected all of it is 0, apart from the timers of routes and feeds and
 * the upstream connections of feeds. The native server shows the same at `/health`.
 */
export interface Stats {
  /** Connections, from their opening handshake to their last hook. */
  connections: number
  /** Rooms with somebody in them, of all routes. */
  rooms: number
  /** Armed deadlines. */
  timers: number
  /** Calls of your functions that are under way. */
  calls: number
  /** Outgoing connections, of proxies for example. */
  upstreams: number
}

/** Of an engine; all 0 without one. */
export function statsOf(core?: Core): Stats {
  const [connections = 0, rooms = 0, timers = 0, calls = 0, upstreams = 0] = core?.stats() ?? []
  return { connections, rooms, timers, calls, upstreams }
}

/** Of several servers together. */
export function sum(all: Stats[]): Stats {
  const total = statsOf()
  for (const stats of all) {
    for (const key of Object.keys(total) as (keyof Stats)[]) total[key] += stats[key]
  }
  return total
}
