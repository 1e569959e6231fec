// The inspector: begins, and leads from one view to another.

import { begin, endpoints } from './api.js'
import { show as showDialog } from './dialogs.js'
import { button, element, empty } from './elements.js'
import { link, listen } from './live.js'
import './notices.js'
import * as actions from './actions.js'
import * as breakpoints from './breakpoints.js'
import * as charts from './charts.js'
import * as connections from './connections.js'
import * as feeds from './feeds.js'
import * as frames from './frames.js'
import * as log from './log.js'
import * as recordings from './recordings.js'
import * as rooms from './rooms.js'
import * as routes from './routes.js'
import { on, store } from './store.js'
import * as client from './try.js'

/** The views, in the order of their keys. */
const VIEWS = {
  frames: { title: 'Frames', show: frames.refresh },
  connections: { title: 'Connections', show: connections.show },
  rooms: { title: 'Rooms', show: rooms.show },
  feeds: { title: 'Feeds', show: feeds.show },
  routes: { title: 'Routes', show: routes.show },
  recordings: { title: 'Recordings', show: recordings.show },
  breakpoints: { title: 'Breakpoints', show: breakpoints.show },
  charts: { title: 'Charts', show: charts.show },
  log: { title: 'Log', show: log.show },
  try: { title: 'Try', show: () => {} },
}

const names = Object.keys(VIEWS)
/** In a frame of another origin it would be that page that has it connect; Vite DevTools shows it in one of its own. */
const isOwnWindow = isOfOwnOrigin()

function isOfOwnOrigin() {
  try {
    return top.location.origin === location.origin
  } catch {
    return false
  }
}

let view

document.getElementById('views').append(
  ...names.map((name, index) => element('a', { href: `#${name}`, 'data-view': name, 'aria-keyshortcuts': String((index + 1) % 10) }, VIEWS[name].title)),
)

/** The address bar's fragment; what is not percent-encoded well stays as it is. */
function fragment() {
  const text = location.hash.slice(1)
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Shows what the address bar's fragment names: a view with its filter, or an endpoint to try. */
function choose() {
  const [name, query] = location.hash.slice(1).split('?', 2)
  const asked = fragment()
  const isEndpoint = asked.startsWith('/') || asked.startsWith('http:')
  view = isEndpoint ? 'try' : names.includes(name) ? name : link.state === 'off' ? 'try' : 'frames'
  for (const name of names) document.getElementById(`view-${name}`).hidden = name !== view
  for (const tab of document.querySelectorAll('#views a')) {
    tab.dataset.view === view ? tab.setAttribute('aria-current', 'page') : tab.removeAttribute('aria-current')
  }
  document.title = `${VIEWS[view].title} · Switchboard`
  const given = new URLSearchParams(query)
  if (view === 'frames' && query) frames.filter({ connection: '', route: '', room: '', ...Object.fromEntries(given) })
  if (view === 'connections' && given.has('id')) connections.choose(given.get('id'))
  VIEWS[view].show()
  if (view === 'try' && isBegun) client.choose(isEndpoint ? asked : '')
}

let isBegun = false

/** What can be tried: natively the page knows it without a token. */
function listEndpoints() {
  if (endpoints) return client.listEndpoints(endpoints)
  const known = store.routes.flatMap(({ patterns, dialect, subprotocols, authentication, example }) =>
    patterns.map((pattern, index) => ({ pattern, message: example?.messages[0], messages: example?.messages, kind: dialect, rules: authentication === 'everyone' ? '' : 'authenticated', subprotocols, example: (index === 0 && example?.path) || exampleOf(pattern, dialect) })),
  )
  const now = JSON.stringify(known)
  if (now === listEndpoints.last) return
  listEndpoints.last = now
  client.listEndpoints({ endpoints: known, http: [] })
  if (view === 'try') choose()
}

/** A path that a pattern serves. */
function exampleOf(pattern, dialect) {
  const path = pattern.replace(/\{([^}:]*)[^}]*\}/g, (_, name) => name || 'x').replace(/\/\*\*/g, '').replaceAll('*', 'x') || '/'
  return dialect === 'phoenix' ? `${path}?vsn=2.0.0` : path
}

const KEYS = [
  [`1 to ${names.length}`.replace('10', '9, 0'), 'the views, from Frames to Try'],
  ['/', 'filter; Enter leads to the list'],
  ['l', 'to the list of frames; arrows, Page Up and Down, Home and End choose'],
  ['p', 'pause, or go on'],
  ['x', 'clear the frames'],
  ['w', 'save the frames that are shown'],
  ['e', 'next error'],
  ['a', 'all frames: no filter'],
  ['s', 'send to the chosen connection, or the one of the chosen frame'],
  ['k', 'close that connection'],
  ['t', 'terminate it'],
  ['f', 'faults for it, or for everyone'],
  ['u', 'take all faults back'],
  ['h', 'hold messages: like the chosen frame, or of everyone'],
  ['y, n', 'pass or drop the held message that is looked at, or the oldest one'],
  ['Shift+Y', 'pass everything that is held'],
  ['r', 'record what passes'],
  ['Esc', 'close a dialog'],
  ['Ctrl+Enter', 'do what a dialog asks'],
  ['?', 'this list'],
]

function showKeys() {
  showDialog('Keys', element('dl', { class: 'facts' }, KEYS.map(([key, does]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, does)])))
}

/** The connection that an action is meant for. */
function meant() {
  const connection = view === 'connections' ? connections.chosenConnection()?.id : frames.chosen()?.connection
  return connection && store.connections.has(connection) ? { connection } : undefined
}

/** Shows a view at once. */
function go(name) {
  if (view === name) return
  location.hash = `#${name}`
  choose()
}

const act = {
  '/': () => (go('frames'), frames.focusFilter()),
  l: () => (go('frames'), frames.focusList()),
  p: frames.togglePause,
  x: frames.clear,
  w: frames.save,
  r: () => recordings.record(),
  e: frames.nextError,
  a: frames.showAll,
  s: () => meant() && actions.send(meant()),
  k: () => meant() && actions.close(meant()),
  t: () => meant() && actions.terminate(meant()),
  f: () => actions.addFaults(meant() ?? { everyone: true }),
  u: () => actions.removeFaults(),
  h: () => (view === 'frames' && frames.chosen()?.type === 'message' ? breakpoints.addLike(frames.chosen()) : breakpoints.add(meant() ?? { everyone: true })),
  y: () => breakpoints.decideFirst('pass'),
  n: () => breakpoints.decideFirst('drop'),
  Y: breakpoints.passAll,
  '?': showKeys,
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
  if (event.target.matches('input:not([type=checkbox]), textarea, select')) return
  const named = /^\d$/.test(event.key) && names[(Number(event.key) + 9) % 10]
  const does = named ? () => go(named) : link.state === 'off' ? undefined : act[event.key]
  if (!does) return
  event.preventDefault()
  does()
})
document.getElementById('keys').onclick = showKeys

addEventListener('hashchange', choose)
on('routes', listEndpoints)
let stateBefore = 'off'
on('link', () => {
  // With a token that works there is more to see than “Try”.
  if (stateBefore === 'off' && link.state === 'connecting' && location.hash.length < 2) choose()
  stateBefore = link.state
})

async function start() {
  try {
    await begin()
  } catch (error) {
    document.getElementById('main').replaceChildren(empty(`This page cannot begin: ${error.message}`))
    return
  }
  isBegun = true
  if (endpoints) listEndpoints()
  if (isOwnWindow) await listen()
  else document.getElementById('notices').append(element('div', { class: 'notice' }, 'This page is shown inside another one, and does not connect by itself. ', button('Connect', listen)))
  choose()
}

start()
