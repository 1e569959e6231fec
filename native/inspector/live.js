// Keeps the page up to date: listens to live events, and comes back by itself when the server was away.

import { ask, begin, eventsUrl, hasToken } from './api.js'
import { changed, expectKept, remark, store, take, takeConnections, takeEnded } from './store.js'

/** How much of a message the server shows, in bytes. */
const PAYLOAD = 16_384
/** How many events that happened before the page came are told first: why a client was refused, and what was said. */
const RECENT = 1_000
/** Connections that are listed at most; events tell of all. */
const MOST_LISTED = 5_000
const LONGEST_WAIT = 3_000

/** How it stands: `off`, `connecting`, `live`, `lost` or `unauthorized`. */
export const link = { state: 'off', why: '' }

let wait = 200
let wasLive = false
let socket
/** The kinds of events that are told where no others are asked for. */
let kinds = []
let hasControlFrames = false

/** Begins, and never ends. */
export async function listen() {
  clearTimeout(listen.timer)
  if (socket) socket.onclose = null
  socket?.close()
  if (!hasToken()) return set('off')
  if (!wasLive) set('connecting')
  try {
    store.server = await ask('')
    // The token is right, so what follows fails only if the server goes.
    await load()
  } catch (error) {
    if (error.status === 401) return set('unauthorized', error.message)
    return again(error.message)
  }
  socket = new WebSocket(eventsUrl({ payloadBytes: PAYLOAD, recent: RECENT }))
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data)
    if (event.type === 'subscribed') return subscribed(event)
    take(event)
  }
  socket.onclose = ({ code, reason }) => again(reason || `the events ended with ${code}`)
}

function subscribed(event) {
  expectKept(event.recent ?? 0)
  if (link.state === 'live') return
  kinds = event.kinds
  void arrived()
  if (hasControlFrames) showControlFrames(true)
}

/** Has pings, pongs and close frames told, too, or no more. */
export function showControlFrames(isOn) {
  hasControlFrames = isOn
  if (link.state !== 'live') return
  const others = kinds.filter((kind) => kind !== 'control')
  socket.send(JSON.stringify({ type: 'subscribe', kinds: isOn ? [...others, 'control'] : others, payloadBytes: PAYLOAD }))
}

async function arrived() {
  wait = 200
  if (wasLive) remark('connected again; of what happened meanwhile the server tells what it kept')
  wasLive = true
  set('live')
  // What opened between the first list and now.
  await load().catch(() => {})
}

/** The server was not there: tries again, each time a little later. A restart may have made another token. */
function again(why) {
  if (link.state === 'live') remark(`the connection to the server was lost: ${why}`)
  set('lost', why)
  listen.timer = setTimeout(async () => {
    await begin().catch(() => {})
    await listen()
  }, wait)
  wait = Math.min(wait * 2, LONGEST_WAIT)
}

async function load() {
  await loadConnections()
  await Promise.all([loadRoutes(), loadFaults()])
}

/** Asks who is connected, with what passed, and who has ended lately. */
export async function loadConnections() {
  const asked = performance.now()
  const connections = []
  let after = ''
  do {
    const page = await ask(`/connections?limit=1000${after && `&after=${encodeURIComponent(after)}`}`)
    connections.push(...page.connections)
    after = page.next ?? ''
  } while (after && connections.length < MOST_LISTED)
  const ended = await ask('/connections?state=closed&limit=200')
  takeConnections(connections, asked)
  takeEnded(ended.connections)
}

/** Asks for the routes and what is in force there. */
export async function loadRoutes() {
  store.routes = (await ask('/routes')).routes
  changed('routes')
}

/** Asks which faults were added. */
export async function loadFaults() {
  const before = JSON.stringify(store.faults)
  store.faults = await ask('/faults')
  if (JSON.stringify(store.faults) !== before) changed('faults')
}

/** Looks for faults that others add or take back, while somebody looks. */
setInterval(() => {
  if (link.state === 'live' && document.visibilityState === 'visible') loadFaults().catch(() => {})
}, 2_000)

function set(state, why = '') {
  Object.assign(link, { state, why })
  changed('link')
}
