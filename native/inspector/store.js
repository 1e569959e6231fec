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
/** The latest event of the server that was taken: its place among all, and its time. */
let latest = { sequence: -1, at: 0 }
/** How many events follow that happened before the page listened, and those of them that have come. */
let kept = 0
let waiting = []

/**
 * Calls a listener when something of this name changes: `frames`, `connections`, `rooms`, `routes`, `faults`, `log`, `link`;
 * with `event` it gets every event as it came.
 */
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

/** The server tells so many events first that happened before. */
export function expectKept(count) {
  kept = count
  waiting = []
}

/** Takes an event of the server. Those that were kept are taken together, without those that the page has already. */
export function take(event) {
  if (kept === 0 || event.sequence === undefined) return taken(event, false)
  waiting.push(event)
  if (--kept > 0) return
  const [all, last] = [waiting, isSameServer(waiting) ? latest.sequence : -1]
  waiting = []
  for (const one of all) if (one.sequence > last) taken(one, true)
}

/** One that has restarted counts from the beginning, and its clock may be behind. */
function isSameServer(all) {
  if (all.at(-1).sequence < latest.sequence) return false
  const twin = all.find(({ sequence }) => sequence === latest.sequence)
  return twin === undefined || twin.at === latest.at
}

function taken(event, isKept) {
  if (event.sequence !== undefined) latest = event
  takers[event.type]?.(event, isKept)
  changed('event', event)
}

const takers = {
  message(event, isKept) {
    const { connection, direction, route, size } = event
    const known = connection && store.connections.get(connection)
    const times = direction === 'out' ? event.receivers : 1
    if (!isKept) {
      if (known) count(known, direction, size)
      const second = currentSecond(event.at)
      second[direction] += times
      second[`${direction}Bytes`] += size * times
    }
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
  opened(event, isKept) {
    const { connection: id, at, type, ...rest } = event
    const known = connectionOf(id)
    // One that was kept may be of a connection that has ended meanwhile.
    if (known?.state !== 'closed') store.connections.set(id, { rooms: [], received: 0, sent: 0, receivedBytes: 0, sentBytes: 0, ...known, ...rest, id, openedAt: at, state: 'open', heardAt: isKept ? 0 : performance.now() })
    add({ ...event, size: OVERHEAD })
    changed('connections')
  },
  refused(event) {
    store.refused.push(event)
    add({ ...event, isError: true, size: OVERHEAD })
    changed('connections')
  },
  unclaimed(event) {
    takers.refused(event)
  },
  control(event) {
    const bytes = event.binary === null || event.binary === undefined ? null : bytesOf(event.binary)
    add({ ...event, binary: undefined, bytes, openedAt: store.connections.get(event.connection)?.openedAt, size: OVERHEAD + (bytes?.length ?? 0) })
  },
  violation(event) {
    add({ ...event, isError: true, size: OVERHEAD + JSON.stringify(event.violations).length * 2 })
  },
  held(event) {
    add({ ...event, size: OVERHEAD + (event.text?.length ?? 0) * 2 })
    changed('held')
  },
  released(event) {
    add({ ...event, size: OVERHEAD + (event.text?.length ?? 0) * 2 })
    changed('held')
  },
  mismatch(event) {
    add({ ...event, isError: true, size: OVERHEAD + (event.text?.length ?? 0) * 2 })
  },
  closed(event) {
    const known = connectionOf(event.connection) ?? { rooms: [], path: event.path, route: event.route, id: event.connection }
    store.connections.delete(event.connection)
    if (known.state !== 'closed') store.ended.push({ ...known, state: 'closed', heardAt: performance.now(), closedAt: event.at, code: event.code, reason: event.reason, cause: event.cause })
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
  error(event, isKept) {
    if (!isKept) currentSecond(event.at).errors++
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
    if (known.state !== 'closed') store.connections.set(one.id, { ...known, ...one, openedAt: one.openedAt ?? known.openedAt, ...totals(one) })
  }
  changed('connections')
}

/** Takes the connections that have ended, the latest first, as the server keeps them. */
export function takeEnded(list) {
  for (const one of list.toReversed()) {
    const known = connectionOf(one.id)
    const end = { ...one, ...totals(one), state: 'closed', code: one.closeCode, reason: one.closeReason, cause: one.closeCause }
    if (known?.state === 'closed') Object.assign(known, end)
    else store.ended.push({ ...known, ...end })
    store.connections.delete(one.id)
  }
  changed('connections')
}

/** What passed since the opening, which the server has counted. */
function totals({ messagesIn, messagesOut, bytesIn, bytesOut }) {
  return messagesIn === undefined ? {} : { received: messagesIn, sent: messagesOut, receivedBytes: bytesIn, sentBytes: bytesOut }
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
