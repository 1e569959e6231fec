// The view of connections: those that are open, those that ended, and openings that were refused.

import * as actions from './actions.js'
import { ask } from './api.js'
import { asJavaScript, asTest, asWscat } from './copies.js'
import { hint } from './details.js'
import { button, copy, element, empty, facts, table } from './elements.js'
import { ENDED } from './rows.js'
import { connectionOf, on, store } from './store.js'
import { tree } from './tree.js'
import { clock, many, meaning, short, size, time } from './values.js'

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

view.append(
  element('div', { class: 'tools' }, text, element('span', { class: 'gap' }), count, button('Close everyone…', () => actions.close({ everyone: true }))),
  element('div', { class: 'split' }, lists, panel),
)
text.addEventListener('input', show)
on('connections', soon)
on('frame', () => store.connections.size > 0 && soon())

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
  asked = undefined
  if (id !== undefined && store.connections.has(id)) {
    ask(`/connections/${encodeURIComponent(id)}`).then((answer) => {
      if (chosen !== id) return
      asked = answer
      details()
    }, () => {})
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
    ...part('Open', open, ['id', 'path', 'for', 'from client', 'to client', 'waits', 'rooms', 'address'], (one) => [
      name(one), one.path, one.openedAt ? time(Date.now() - one.openedAt) : '', traffic(one.received, one.receivedBytes), traffic(one.sent, one.sentBytes),
      one.queuedBytes ? size(one.queuedBytes) : '', one.rooms.join(', '), one.address ?? '',
    ], 'No connection is open.'),
    ...part('Refused', refused, ['at', 'path', 'answer', 'reason', 'what to change'], (one) => [clock(one.at), one.path, one.status ?? meaning(one.code), one.reason, hint(one)]),
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

function name({ id }) {
  return button(short(id), () => choose(id), { class: 'link', 'data-id': id, 'aria-label': `Details of connection ${short(id)}` })
}

/** What the page has seen; how much passed before is not known. */
function traffic(messages = 0, bytes = 0) {
  return messages === 0 ? '' : `${messages.toLocaleString('en')} / ${size(bytes)}`
}

function details() {
  const one = chosen === undefined ? undefined : connectionOf(chosen)
  panel.hidden = one === undefined
  if (!one) return panel.replaceChildren()
  // Not under the hands of who uses it.
  if (panel.dataset.shown === `${one.id} ${one.state} ${asked !== undefined}` && panel.contains(document.activeElement)) return
  panel.dataset.shown = `${one.id} ${one.state} ${asked !== undefined}`
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
      isOpen && button('Close…', () => actions.close(scope)),
      isOpen && button('Terminate…', () => actions.terminate(scope)),
    ),
    element('h3', {}, 'Copy as'),
    element(
      'div',
      { class: 'buttons' },
      button('wscat', () => copy(asWscat(one), 'The command is copied')),
      button('JavaScript', () => copy(asJavaScript(one), 'The program is copied')),
      button('test', () => copy(asTest(one), 'The test is copied')),
    ),
  )
}

/** The open connection whose details are shown. */
export function chosenConnection() {
  return store.connections.get(chosen)
}
