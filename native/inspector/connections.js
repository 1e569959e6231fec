// The view of connections: those that are open, those that ended, and openings that were refused.

import * as actions from './actions.js'
import { ask } from './api.js'
import { add as addBreakpoint } from './breakpoints.js'
import { asCurl, asJavaScript, asTest, asWscat } from './copies.js'
import { hint } from './details.js'
import { button, copy, element, empty, facts, table } from './elements.js'
import { loadConnections } from './live.js'
import { ENDED, row } from './rows.js'
import { connectionOf, dialectOf, on, store } from './store.js'
import { tree } from './tree.js'
import { bytesOf, clock, many, meaning, short, size, time } from './values.js'

/** Rows of each table. */
const MOST = 300

const view = document.getElementById('view-connections')
const text = element('input', { type: 'search', placeholder: 'Filter: path, id, room, address', 'aria-label': 'Filter connections', spellcheck: 'false', autocomplete: 'off' })
const count = element('span', { class: 'count' })
const lists = element('div', { class: 'scrolled', tabindex: '0', role: 'group', 'aria-label': 'Connections' })
const panel = element('aside', { class: 'details', 'aria-label': 'Details of the chosen connection', hidden: true })
let chosen
/** Its parts that only the server knows. */
let asked
/** Its latest messages, as the server keeps them. */
let messages

view.append(
  element('div', { class: 'tools' }, text, element('span', { class: 'gap' }), count, button('Close everyone…', () => actions.close({ everyone: true }))),
  element('div', { class: 'split' }, lists, panel),
)
text.addEventListener('input', show)
on('connections', soon)
on('frame', () => store.connections.size > 0 && soon())

// Totals are counted by the server.
setInterval(() => !view.hidden && document.visibilityState === 'visible' && loadConnections().catch(() => {}), 2_000)

let isDue = false

function soon() {
  if (isDue || view.hidden) return
  isDue = true
  setTimeout(() => {
    isDue = false
    show()
  }, 400)
}

/** Chooses a connection and shows its details. */
export function choose(id) {
  chosen = id
  asked = messages = undefined
  if (id !== undefined) {
    const path = `/connections/${encodeURIComponent(id)}`
    const told = (take) => (answer) => {
      if (chosen !== id) return
      take(answer)
      details(true)
    }
    ask(path).then(told((answer) => (asked = answer)), () => {})
    ask(`${path}/messages?limit=50`).then(told((answer) => ({ messages } = answer)), () => {})
  }
  show()
  if (id !== undefined) panel.scrollIntoView?.({ block: 'nearest' })
}

export function show() {
  if (view.hidden) return
  const wanted = text.value.trim().toLowerCase()
  const passes = ({ id = '', path, rooms = [], address = '', reason = '' }) => !wanted || [id, path, address ?? '', reason, ...rooms].some((part) => part.toLowerCase().includes(wanted))
  const open = [...store.connections.values()].filter(passes).reverse()
  const ended = latest(store.ended, passes)
  const refused = latest(store.refused, passes)
  count.textContent = `${many(store.connections.size, 'open connection')}`
  const focused = lists.contains(document.activeElement) ? document.activeElement.dataset.id : undefined
  lists.replaceChildren(
    ...part('Open', open, ['id', 'path', 'for', 'from client', 'to client', 'compression', 'waits', 'rooms', 'address'], (one) => [
      name(one), one.path, one.openedAt ? element('time', {}, time(Math.max(0, Date.now() - one.openedAt))) : '', traffic(one.received, one.receivedBytes), traffic(one.sent, one.sentBytes),
      compression(one), one.queuedBytes ? size(one.queuedBytes) : '', one.rooms.join(', '), one.address ?? '',
    ], 'No connection is open.'),
    ...part('Refused', refused, ['at', 'path', 'answer', 'reason', 'what to change'], (one) => [clock(one.at), one.path, one.status ?? (one.code ? meaning(one.code) : 'none'), one.reason ?? (one.nearest ? `the nearest route is ${one.nearest}` : 'no route has this path'), hint(one)]),
    ...part('Ended', ended, ['id', 'path', 'at', 'close code', 'reason', 'ended by', 'from client', 'to client'], (one) => [
      name(one), one.path, clock(one.closedAt), one.code ? meaning(one.code) : '', one.reason, one.cause ? ENDED[one.cause] : '', traffic(one.received, one.receivedBytes), traffic(one.sent, one.sentBytes),
    ]),
  )
  if (focused) lists.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus()
  details()
}

function part(title, all, head, cells, none) {
  if (all.length === 0) return none ? [element('h2', {}, title), empty(none)] : []
  const more = all.length > MOST ? [empty(`${many(all.length - MOST, 'more', 'more')}; filter to see others.`)] : []
  return [element('h2', {}, `${title} (${all.length.toLocaleString('en')})`), table(title, head, all.slice(0, MOST).map(cells)), ...more]
}

function latest(ring, passes) {
  const found = []
  for (let index = ring.length - 1; index >= 0; index--) if (passes(ring.at(index))) found.push(ring.at(index))
  return found
}

function name({ id, isReadingPaused }) {
  return button(`${short(id)}${isReadingPaused ? ' ‖' : ''}`, () => choose(id), { class: 'link', 'data-id': id, 'aria-label': `Details of connection ${short(id)}` })
}

/** What compression has saved of what passed: frames with their headers against their payloads. */
function compression({ compression, wireBytesIn, wireBytesOut, bytesIn, bytesOut }) {
  if (!compression) return ''
  const [wire, payload] = [wireBytesIn + wireBytesOut, bytesIn + bytesOut]
  return payload > 0 && wire < payload ? `saves ${Math.round((1 - wire / payload) * 100)} %` : 'on'
}

/** Messages and bytes since the opening. */
function traffic(messages = 0, bytes = 0) {
  return messages === 0 ? '' : `${messages.toLocaleString('en')} / ${size(bytes)}`
}

function details(isNew = false) {
  const one = chosen === undefined ? undefined : connectionOf(chosen)
  panel.hidden = one === undefined
  if (!one) return panel.replaceChildren()
  // Not under the hands of who uses it.
  if (!isNew && panel.dataset.shown === `${one.id} ${one.state}` && panel.contains(document.activeElement)) return
  panel.dataset.shown = `${one.id} ${one.state}`
  const { authData, ...rest } = { ...asked, ...one }
  const scope = { connection: one.id }
  const isOpen = one.state !== 'closed'
  panel.replaceChildren(
    element('div', { class: 'bar' }, element('h2', {}, `Connection ${short(one.id)}`), button('×', () => choose(undefined), { 'aria-label': 'Close the details' })),
    facts([
      ['id', one.id],
      ['path', one.path],
      ['query', rest.query],
      ['route', one.route],
      ['state', one.state],
      ['address', one.address],
      ['subprotocol', one.subprotocol],
      ['opened', one.openedAt && clock(one.openedAt)],
      ['reading', rest.isReadingPaused ? 'paused' : null],
      ['held messages', rest.heldMessages || null],
      ['from the client', told(rest.messagesIn, rest.bytesIn, rest.wireBytesIn)],
      ['to the client', told(rest.messagesOut, rest.bytesOut, rest.wireBytesOut)],
      ['compression', rest.compression === undefined ? null : compression(rest) || 'off'],
      ['dropped', rest.droppedMessages ? many(rest.droppedMessages, 'message') : null],
      ['rooms', one.rooms?.join(', ')],
      ['parameters', rest.params && Object.entries(rest.params).map(([name, value]) => `${name} = ${value}`).join(', ')],
      ['authData', authData === undefined ? (rest.hasAuthData ? 'hidden; `control.reveal` or --control-reveal shows it' : null) : null],
      ['waits for its handler', rest.waitingBytes ? size(rest.waitingBytes) : null],
      ['waits to be sent', rest.queuedBytes ? size(rest.queuedBytes) : null],
      ['calls under way', rest.calls || null],
      ['closed', one.closedAt && clock(one.closedAt)],
      ['close code', one.code && meaning(one.code)],
      ['reason', one.reason],
      ['ended by', one.cause && ENDED[one.cause]],
    ]),
    authData === undefined ? '' : element('section', { 'aria-label': 'authData' }, element('h3', {}, 'authData'), tree(authData)),
    element(
      'div',
      { class: 'buttons' },
      element('a', { class: 'button', href: `#frames?connection=${encodeURIComponent(one.id)}` }, 'Frames'),
      isOpen && button('Send…', () => actions.send(scope)),
      isOpen && button('Faults…', () => actions.addFaults(scope)),
      isOpen && button('Hold…', () => addBreakpoint(scope)),
      isOpen && 'isReadingPaused' in rest && button(rest.isReadingPaused ? 'Read again' : 'Pause reading', () => actions.setReading(scope, !rest.isReadingPaused).then(() => choose(one.id))),
      isOpen && button('Close…', () => actions.close(scope)),
      isOpen && button('Terminate…', () => actions.terminate(scope)),
    ),
    latestMessages(),
    element('h3', {}, 'Copy as'),
    element(
      'div',
      { class: 'buttons' },
      button('curl', () => copy(asCurl({ ...asked, ...one }), 'The command is copied')),
      button('wscat', () => copy(asWscat({ ...asked, ...one }), 'The command is copied')),
      button('JavaScript', () => copy(asJavaScript({ ...asked, ...one }), 'The program is copied')),
      button('test', () => copy(asTest({ ...asked, ...one }), 'The test is copied')),
    ),
  )
}

function told(messages, bytes, wireBytes) {
  return messages === undefined ? null : `${many(messages, 'message')}, ${size(bytes)}${wireBytes === undefined ? '' : `; ${size(wireBytes)} on the wire`}`
}

/** What the server has kept of it, which may have been before this page. */
function latestMessages() {
  if (!messages?.length) return ''
  const rows = messages.map((event) => {
    const bytes = event.binary === undefined ? null : bytesOf(event.binary)
    return row({ ...event, bytes, payloadSize: event.size, dialect: dialectOf(event.route) }, undefined, 'clock')
  })
  return element('section', { 'aria-label': 'Latest messages' }, element('h3', {}, `Latest messages (${messages.length})`), element('div', { class: 'latest', tabindex: '0', role: 'group', 'aria-label': 'Latest messages' }, rows))
}

/** The open connection whose details are shown. */
export function chosenConnection() {
  return store.connections.get(chosen)
}
