// One row of the list of frames.

import { decode } from './dialect.js'
import { element } from './elements.js'
import { clock, meaning, short, size, time } from './values.js'

/** So many characters of a message are in its row. */
const SHOWN = 300

/** What happened, and a sign for it. */
const SIGNS = {
  in: ['↑', 'from the client'],
  out: ['↓', 'to the client'],
  opened: ['●', 'opened'],
  refused: ['✕', 'refused'],
  closed: ['○', 'closed'],
  joined: ['+', 'joined'],
  left: ['−', 'left'],
  error: ['!', 'error'],
  unclaimed: ['✕', 'unclaimed'],
  control: ['◇', 'control frame'],
  violation: ['!', 'breaks the contract'],
  mismatch: ['≠', 'not as recorded'],
  held: ['‖', 'held'],
  released: ['▸', 'no longer held'],
  missed: ['…', 'missed'],
  remark: ['·', 'note'],
}

/** A row; `shownTime` is `clock`, `opening` or `before`. */
export function row(item, before, shownTime) {
  const [sign, said] = SIGNS[item.type === 'message' ? item.direction : item.type]
  const decoded = decodedOf(item)
  const bytes = item.type === 'message' ? size(item.payloadSize) : ''
  return element(
    'div',
    { class: ['row', item.type === 'message' ? item.direction : item.type, item.isError && 'bad'].filter(Boolean).join(' ') },
    element('time', {}, timeOf(item, before, shownTime)),
    element('span', { class: 'sign', role: 'img', 'aria-label': said }, sign),
    element('span', { class: 'who', title: item.path ?? item.route ?? '' }, who(item)),
    element(
      'span',
      { class: 'what' },
      decoded && element('b', { class: 'label' }, decoded.label),
      decoded?.channel && element('span', { class: 'channel' }, decoded.channel),
      what(item),
    ),
    element('span', { class: 'took' }, item.took === undefined ? '' : time(item.took)),
    element('span', { class: 'size' }, bytes),
  )
}

/** A message as its dialect has it, decoded when it is first looked at. */
export function decodedOf(item) {
  if (item.type !== 'message') return undefined
  if (!('decoded' in item)) item.decoded = decode(item)
  return item.decoded
}

function timeOf(item, before, shownTime) {
  if (shownTime === 'opening' && item.openedAt !== undefined) return `+${time(item.at - item.openedAt)}`
  if (shownTime === 'before' && before) return `+${time(Math.max(0, item.at - before.at))}`
  return clock(item.at)
}

function who({ connection, receivers, path, route, room }) {
  const place = path ?? (room === undefined ? route : `${room} of ${route}`) ?? ''
  if (connection) return `${short(connection)} ${place}`
  return receivers === undefined ? place : `${receivers} × ${place}`
}

function what(item) {
  const { type } = item
  if (type === 'message') return item.bytes ? hexadecimal(item.bytes, item.payloadSize) : (item.text ?? '').slice(0, SHOWN)
  if (type === 'opened') return `opened${item.subprotocol ? `, subprotocol ${item.subprotocol}` : ''}${item.address ? `, from ${item.address}` : ''}`
  if (type === 'unclaimed') return `nobody took it: ${item.reason ?? (item.nearest ? `the nearest route is ${item.nearest}` : 'no route has this path')}`
  if (type === 'control') return controlFrame(item)
  if (type === 'violation') return `${item.isRefused ? 'refused: ' : ''}breaks the contract: ${item.violations.map(({ path, message }) => `${path ? `${path}: ` : ''}${message}`).join('; ').slice(0, SHOWN)}`
  if (type === 'mismatch') return `not as recorded: ${item.differences?.map(({ path, recorded, got }) => `${path ? `${path}: ` : ''}${recorded} expected, got ${got}`).join('; ').slice(0, SHOWN) || item.got}`
  if (type === 'held') return `held ${WAYS[item.direction]}: ${(item.text ?? `${item.size} bytes`).slice(0, SHOWN)}`
  if (type === 'released') return `${RELEASED[item.how]} ${WAYS[item.direction]}${item.text ? `: ${item.text.slice(0, SHOWN)}` : ''}`
  if (type === 'refused') return `refused with ${item.status ?? meaning(item.code)}: ${item.reason}`
  if (type === 'closed') return `closed by ${ENDED[item.cause]}: ${meaning(item.code)}${item.reason ? `, ${item.reason}` : ''}`
  if (type === 'joined') return `joined ${item.room}`
  if (type === 'left') return `left ${item.room}`
  if (type === 'error') return `${item.step}: ${item.error.slice(0, SHOWN)}`
  if (type === 'missed') return `${item.count} events were left out: this page or its connection was too slow`
  return item.text
}

/** A ping, pong or close frame in words. */
function controlFrame({ direction, opcode, text, bytes, code, reason }) {
  const way = direction === 'in' ? 'from the client' : 'to the client'
  const payload = code ? `${meaning(code)}${reason ? `, ${reason}` : ''}` : text || (bytes?.length ? hexadecimal(bytes, bytes.length) : '')
  return `${opcode} ${way}${payload ? `: ${payload}` : ''}`
}

const WAYS = { in: 'from the client', out: 'to the client' }

/** What became of a held message, in words. */
const RELEASED = {
  passed: 'passed',
  edited: 'passed, changed',
  dropped: 'dropped',
  timeout: 'passed, as nobody decided in time',
  ended: 'dropped, as the connection ended',
  full: 'not held, as too much is held',
}

/** Who ended a connection, in words. */
export const ENDED = { client: 'the client', server: 'the server', lost: 'a loss of the connection' }

function hexadecimal(bytes, all) {
  const shown = [...bytes.subarray(0, 48)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return `${shown}${all > 48 ? ' …' : ''}`
}
