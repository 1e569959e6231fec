// One row with all that is known of it.

import * as actions from './actions.js'
import { button, copy, element, facts } from './elements.js'
import { addLike } from './breakpoints.js'
import { decodedOf, ENDED } from './rows.js'
import { connectionOf } from './store.js'
import { tree } from './tree.js'
import { base64, clock, meaning, short, size, time } from './values.js'

/** Longer text is cut for the screen, and copied whole. */
const LONGEST = 200_000
/** Bytes that are shown in hexadecimal. */
const MOST_BYTES = 4_096

let tab = 'tree'

/** Shows a row in a panel, or hides it. */
export function showDetails(panel, item, { close, filter } = {}) {
  panel.hidden = item === undefined
  if (!item) return panel.replaceChildren()
  const title = item.type === 'message' ? (item.direction === 'in' ? 'From the client' : 'To the client') : titles[item.type]
  panel.replaceChildren(
    element('div', { class: 'bar' }, element('h2', {}, title), button('×', close, { 'aria-label': 'Close the details' })),
    ...(item.type === 'message' ? message(item, filter) : event(item, filter)),
  )
}

const titles = { opened: 'Opened', refused: 'Opening refused', closed: 'Closed', joined: 'Joined a room', left: 'Left a room', error: 'Error of a handler', unclaimed: 'Nobody took it', control: 'Control frame', violation: 'Breaks the contract', mismatch: 'Not as recorded', held: 'Held', released: 'No longer held', missed: 'Left out', remark: 'Note' }

function message(item, filter) {
  const decoded = decodedOf(item)
  const scope = item.connection ? { connection: item.connection } : { route: item.route, room: item.room }
  const again = item.bytes ? { text: base64(item.bytes), kind: 'binary' } : { text: item.text }
  return [
    facts([
      ['at', clock(item.at)],
      ['connection', item.connection && link(item.connection, filter)],
      ['receivers', item.connection ? null : item.receivers],
      ['route', item.route],
      ['room', item.room],
      ['size', `${size(item.payloadSize)}${item.isCut ? ', the beginning is shown' : ''}`],
      ['on the wire', item.wireSize === undefined ? null : `${size(item.wireSize)}${item.compressed ? ', compressed' : ''}${item.fragments > 1 ? `, in ${item.fragments} frames` : ''}`],
      ['event', decoded?.label],
      ['topic', decoded?.channel],
      ['ref', decoded?.ref],
      ['reply', item.reply && `${item.reply.decoded.status ?? ''} after ${time(item.took)}`],
      ['reply to', item.push && `${item.push.decoded.label}, ${time(item.took)} before`],
    ]),
    element(
      'div',
      { class: 'buttons' },
      button('Copy', () => copy(item.bytes ? hexadecimal(item.bytes) : item.text)),
      !item.isCut && item.direction === 'out' && button('Send again', () => actions.sendAtOnce(scope, again)),
      !item.isCut && button(item.direction === 'in' ? 'Send this to the client…' : 'Edit and send again…', () => actions.send(scope, again)),
      button('Hold messages like this…', () => addLike(item)),
      item.connection && button('Only this connection', () => filter({ connection: item.connection })),
    ),
    item.reply && payload('Reply', item.reply),
    payload('Payload', item),
  ].filter(Boolean)
}

function payload(title, item) {
  const value = parsed(item)
  const tabs = item.bytes ? ['hex', 'text'] : value === undefined ? ['text', 'hex'] : ['tree', 'text', 'hex']
  const body = element('div', { class: 'payload' })
  const show = (name) => {
    body.replaceChildren(name === 'tree' ? tree(value) : element('pre', { tabindex: '0', 'aria-label': `${title} as ${name}` }, name === 'text' ? textOf(item) : dump(bytesOf(item))))
    for (const one of bar.children) one.setAttribute('aria-pressed', one.textContent === name)
  }
  const bar = element('div', { class: 'tabs', role: 'group', 'aria-label': `${title} as` }, tabs.map((name) => button(name, () => show((tab = name)))))
  show(tabs.includes(tab) ? tab : tabs[0])
  return element('section', { 'aria-label': title }, element('div', { class: 'bar' }, element('h3', {}, title), bar), body)
}

function event(item, filter) {
  return [
    facts([
      ['at', clock(item.at)],
      ['connection', item.connection && link(item.connection, filter)],
      ['path', item.path],
      ['route', item.route],
      ['address', item.address],
      ['subprotocol', item.subprotocol],
      ['room', item.room],
      ['status', item.status],
      ['close code', item.code && meaning(item.code)],
      ['reason', item.reason],
      ['ended by', item.cause && ENDED[item.cause]],
      ['step', item.step],
      ['direction', item.direction === 'in' ? 'from the client' : item.direction === 'out' ? 'to the client' : null],
      ['frame', item.opcode],
      ['nearest route', item.nearest],
      ['events', item.count],
    ]),
    ['refused', 'unclaimed'].includes(item.type) && element('p', { class: 'hint' }, hint(item)),
    item.violations && element('ul', {}, item.violations.map(({ path, message, schema }) => element('li', {}, `${path || 'the message'}: ${message} (${schema})`))),
    item.differences && element('ul', {}, item.differences.map(({ path, recorded, got }) => element('li', {}, `${path || 'the message'}: recorded ${recorded}, got ${got}`))),
    item.expected && facts([['expected', item.expected], ['got', item.got], ['place', item.place]]),
    item.bytes?.length > 0 && element('pre', { tabindex: '0', 'aria-label': 'Its payload' }, dump(item.bytes)),
    item.error && element('pre', { tabindex: '0', 'aria-label': 'What it said' }, item.error),
    item.text && element('p', {}, item.text),
    item.connection && element('div', { class: 'buttons' }, button('Only this connection', () => filter({ connection: item.connection }))),
  ].filter(Boolean)
}

/** What to change where an opening was refused. */
export function hint({ type, status, code, reason = '' }) {
  if (/fault/i.test(reason)) return 'A fault did this on purpose: take it back, or wait until it has happened often enough.'
  if (status === 401 || code === 4401) return 'The route asks who connects: look at its authentication under “Routes”, and at what the client shows.'
  if (status === 403) return 'A page of another host needs `origins` of the server or the route; another name of this server needs `allowedHosts`.'
  if (type === 'unclaimed') return 'No route has this path, and no other part of the server took it. “Routes” lists the patterns, each with its prefix.'
  if (status === 404) return 'No route has this path. “Routes” lists the patterns, each with its prefix.'
  if (status === 426 || status === 405 || status === 400) return 'The request is no opening handshake of a WebSocket: a proxy in between may have dropped its headers.'
  if (status === 429 || status === 503) return 'A limit is reached, the server stops, or a fault was added: see `limits` and “Charts”.'
  return 'The reason is what the server said; the log may say more.'
}

function link(id, filter) {
  const known = connectionOf(id)
  return button(`${short(id)} ${known?.path ?? ''}`, () => filter({ connection: id }), { class: 'link' })
}

function parsed({ text, isCut }) {
  if (typeof text !== 'string' || isCut) return undefined
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function textOf({ text, bytes }) {
  const whole = bytes ? new TextDecoder().decode(bytes) : text
  return whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole
}

function bytesOf({ text, bytes }) {
  return bytes ?? new TextEncoder().encode(text.slice(0, MOST_BYTES))
}

function hexadecimal(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

/** Sixteen bytes a line: where, which, and as text. */
function dump(bytes) {
  const lines = []
  for (let start = 0; start < Math.min(bytes.length, MOST_BYTES); start += 16) {
    const line = bytes.subarray(start, start + 16)
    const text = [...line].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${start.toString(16).padStart(6, '0')}  ${hexadecimal(line).padEnd(47)}  ${text}`)
  }
  if (bytes.length > MOST_BYTES) lines.push('…')
  return lines.join('\n')
}
