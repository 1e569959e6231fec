/** How much a server holds. */

import type { Core } from './wasm.js'

/**
 * What there is at one moment. With nobody connected all of it is 0, apart from what is counted since the start, the
 * timers of routes and feeds and the upstream connections of feeds. The native server shows the same at `/health`.
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
  /** What passes between the server and its clients. */
  clientBytes: ByteCounts
  /** What passes between the server and its outgoing connections. */
  upstreamBytes: ByteCounts
  /**
   * How many messages for clients that read too slowly were dropped since the start, by the route's pattern with its
   * first prefix. Routes that dropped none are left out.
   */
  droppedMessages: Record<string, number>
}

/**
 * Bytes on their way, in the order in which they pass: how many did since the start, and how many wait now. Unless it
 * says otherwise, they are the payloads of messages.
 */
export interface ByteCounts {
  /** In messages that came, since the start. */
  received: number
  /**
   * Read and not decoded yet, now: frames and messages of which not all has come, and what came while the client is not
   * to be read. Of outgoing connections it is 0: what is kept of one unfinished message is bounded by `maxPayload`.
   */
  undecoded: number
  /** In messages that came and wait for their handler, now. */
  waiting: number
  /** In messages that were sent and that the other side has not taken, now. Of clients with frame headers. */
  queued: number
  /** In messages that were sent, since the start: to clients when they were queued, upstream when they were taken. */
  sent: number
  /** In messages for outgoing connections that were dropped at twice the bound, since the start. */
  dropped: number
}

/** How many numbers the engine gives of each `ByteCounts`. */
const COUNTS = 6

/** Of an engine; all 0 without one. */
export function statsOf(core?: Core): Stats {
  const [connections = 0, rooms = 0, timers = 0, calls = 0, upstreams = 0, ...bytes] = core?.stats() ?? []
  const droppedMessages = JSON.parse(core?.dropped_messages() ?? '{}') as Record<string, number>
  const [clientBytes, upstreamBytes] = [counts(bytes, 0), counts(bytes, COUNTS)]
  return { connections, rooms, timers, calls, upstreams, clientBytes, upstreamBytes, droppedMessages }
}

/** Of several servers together. */
export function sum(all: Stats[]): Stats {
  const total = statsOf()
  for (const stats of all) add(total, stats)
  return total
}

function counts(bytes: number[], at: number): ByteCounts {
  const [received = 0, undecoded = 0, waiting = 0, queued = 0, sent = 0, dropped = 0] = bytes.slice(at, at + COUNTS)
  return { received, undecoded, waiting, queued, sent, dropped }
}

function add(total: object, more: object): void {
  const sums = total as Record<string, number | object>
  for (const [key, value] of Object.entries(more as Record<string, number | object>)) {
    const before = sums[key]
    if (typeof value === 'object') add(before as object, value)
    // Of patterns each server has its own.
    else sums[key] = ((before as number | undefined) ?? 0) + value
  }
}
