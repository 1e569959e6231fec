// What the page knows of the server: the latest frames and events, connections, routes, faults. Views read it and are told
// of changes.

import { decode, pair } from './dialect.js'
import { Ring } from './ring.js'
import { bytesOf, isBadCode } from './values.js'

/** How much is kept. Older items go. */
const LIMITS = { frames: 100_000, bytes: 64 << 20, ended: 500, refused: 200, log: 2_000, seconds: 300 }

/** What an item costs beside its payload, in bytes; about. */
const OVERHEAD = 300

export const store = {
  /** Frames and what else happened, in order. */
  frames: new Ring(LIMITS.frames, LIMITS.bytes),
  /** Those that are open, by id. */
  connections: new Map(),
  ended: new Ring(LIMITS.ended),
  refused: new Ring(LIMITS.refused),
  log: new Ring(LIMITS.log),
  /** What passed in each of the last seconds. */
  seconds: new Ring(LIMITS.seconds),
  routes: [],
  faults: { faults: [], added: 0 },
  server: null,
  /** How many messages the server could not tell. */
  missed: 0,
  /** Whether new frames are left out. */
  isPaused: false,
  leftOut: 0,
}

const listeners = {}
let number = 0

/** Calls a listener when something of this name changes: `frames`, `connections`, `rooms`, `routes`, `faults`, `log`, `link`. */
export function on(names, listener) {
  for (const name of names.split(' ')) (listeners[name] ??= new Set()).add(listener)
}

/** Tells that something changed. */
export function changed(name, detail) {
  for (const listener of listeners[name] ?? []) listener(detail)
}

/** The dialect of a route. */
export function dialectOf(route) {
  return store.routes.find((known) => known.route === route || known.patterns.includes(route))?.dialect
}

/** A connection that is open or was. */
export function connectionOf(id) {
  if (store.connections.has(id)) return store.connections.get(id)
  for (let index = store.ended.length - 1; index >= 0; index--) {
    if (store.ended.at(index).id === id) return store.ended.at(index)
  }
}

/** Takes an event of the server. */
export function take(event) {
  takers[event.type]?.(event)
}

const takers = {
  message(event) {
    const { connection, direction, route, size } = event
    const known = connection && store.connections.get(connection)
    if (known) count(known, direction, size)
    const second = currentSecond(event.at)
    const times = direction === 'out' ? event.receivers : 1
    second[direction] += times
    second[`${direction}Bytes`] += size * times
    const bytes = event.binary === null || event.binary === undefined ? null : bytesOf(event.binary)
    const frame = { ...event, binary: undefined, payloadSize: size, bytes, openedAt: known?.openedAt }
    frame.size = OVERHEAD + (event.text?.length ?? 0) * 2 + (bytes?.length ?? 0)
    frame.dialect = dialectOf(route)
    if (frame.dialect === 'phoenix') {
      frame.decoded = decode(frame)
      const pushed = pair(frame)
      // Its row shows how long the reply took.
      if (pushed) pushed.version = (pushed.version ?? 0) + 1
    }
    add(frame)
  },
  opened(event) {
    const { connection: id, at, type, ...rest } = event
    const known = store.connections.get(id)
    store.connections.set(id, { rooms: [], received: 0, sent: 0, receivedBytes: 0, sentBytes: 0, ...known, ...rest, id, openedAt: at, state: 'open', heardAt: performance.now() })
    add({ ...event, size: OVERHEAD })
    changed('connections')
  },
  refused(event) {
    store.refused.push(event)
    add({ ...event, isError: true, size: OVERHEAD })
    changed('connections')
  },
  closed(event) {
    const known = store.connections.get(event.connection) ?? { rooms: [], path: event.path, route: event.route, id: event.connection }
    store.connections.delete(event.connection)
    store.ended.push({ ...known, state: 'closed', heardAt: performance.now(), closedAt: event.at, code: event.code, reason: event.reason, cause: event.cause })
    add({ ...event, isError: isBadCode(event.code), openedAt: known.openedAt, size: OVERHEAD })
    changed('connections')
    changed('rooms')
  },
  joined(event) {
    const known = store.connections.get(event.connection)
    if (known && !known.rooms.includes(event.room)) known.rooms.push(event.room)
    add({ ...event, path: known?.path, size: OVERHEAD })
    changed('rooms')
  },
  left(event) {
    const known = store.connections.get(event.connection)
    if (known) known.rooms = known.rooms.filter((room) => room !== event.room)
    add({ ...event, path: known?.path, size: OVERHEAD })
    changed('rooms')
  },
  error(event) {
    currentSecond(event.at).errors++
    store.log.push({ ...event, level: 'error', text: `${event.path} ${event.step}: ${event.error}` })
    add({ ...event, isError: true, size: OVERHEAD + event.error.length * 2 })
    changed('log')
  },
  log(event) {
    store.log.push(event)
    changed('log')
  },
  missed({ count }) {
    store.missed += count
    add({ type: 'missed', at: Date.now(), count, size: OVERHEAD })
  },
}

/** Adds a row of the page's own. */
export function remark(text) {
  add({ type: 'remark', at: Date.now(), text, size: OVERHEAD })
}

/**
 * Takes a list of connections as the server had it when it was asked: others have ended while the page was not told. What was
 * heard since (`asked`, of `performance.now()`) is newer than the list.
 */
export function takeConnections(list, asked) {
  const now = new Set(list.map(({ id }) => id))
  for (const [id, known] of store.connections) {
    if (now.has(id) || known.heardAt >= asked) continue
    store.connections.delete(id)
    store.ended.push({ ...known, state: 'closed', closedAt: Date.now(), reason: 'it ended while this page was not connected' })
  }
  for (const one of list) {
    const known = connectionOf(one.id) ?? { received: 0, sent: 0, receivedBytes: 0, sentBytes: 0 }
    if (known.state !== 'closed') store.connections.set(one.id, { ...known, ...one })
  }
  changed('connections')
}

/** Forgets frames; connections stay. */
export function clearFrames() {
  store.frames.clear()
  store.leftOut = 0
  changed('cleared')
}

/** The second that is under way, after those in which nothing happened. */
export function currentSecond(at = Date.now()) {
  const second = Math.floor(at / 1_000)
  let last = store.seconds.last()
  // The server's clock may have been moved.
  if (!last || second < last.second || second - last.second > LIMITS.seconds) last = begin(second)
  while (last.second < second) last = begin(last.second + 1)
  return last
}

function begin(second) {
  store.seconds.push({ second, in: 0, out: 0, inBytes: 0, outBytes: 0, errors: 0 })
  return store.seconds.last()
}

function count(connection, direction, size) {
  if (direction === 'in') {
    connection.received++
    connection.receivedBytes += size
  } else {
    connection.sent++
    connection.sentBytes += size
  }
}

function add(item) {
  if (store.isPaused) {
    store.leftOut++
    return changed('frames')
  }
  item.number = number++
  store.frames.push(item)
  changed('frame', item)
}
