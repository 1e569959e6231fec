// Which frames are shown.

import { dialectOf, store } from './store.js'

/** What kinds of rows there are, by the type of their event. */
export const KINDS = {
  all: 'everything',
  messages: 'messages',
  text: 'text messages',
  binary: 'binary messages',
  connections: 'openings and ends',
  rooms: 'rooms',
  control: 'control frames',
  errors: 'errors',
}

/** What is asked for, with nothing left out. */
export function everything() {
  return { text: '', direction: 'both', kind: 'all', route: '', connection: '', room: '', hidesControl: true }
}

/** Turns what is asked for into a function that tells whether a row is shown. Throws if its regular expression is none. */
export function filterOf(asked) {
  const { direction, kind, route, connection, room } = asked
  const hasText = textFilter(asked.text.trim())
  return (row) => {
    const { type } = row
    // What concerns the page itself is always shown.
    if (type === 'missed' || type === 'remark') return true
    if (type === 'control' && asked.hidesControl) return false
    if (direction !== 'both' && row.direction !== direction) return false
    if (kind !== 'all' && !isOf(kind, row)) return false
    if (route && row.route !== route) return false
    if (connection && row.connection !== connection) return false
    if (room && !isInRoom(row, room)) return false
    return !hasText || hasText(row)
  }
}

function isOf(kind, row) {
  if (kind === 'messages') return row.type === 'message'
  if (kind === 'text') return row.type === 'message' && row.bytes === null
  if (kind === 'binary') return row.type === 'message' && row.bytes !== null
  if (kind === 'connections') return ['opened', 'refused', 'unclaimed', 'closed'].includes(row.type)
  if (kind === 'control') return row.type === 'control'
  if (kind === 'rooms') return ['joined', 'left'].includes(row.type)
  return Boolean(row.isError)
}

/** Of the room itself, or of a connection that is in it now. */
function isInRoom(row, room) {
  if (row.room !== undefined) return row.room === room
  return store.connections.get(row.connection)?.rooms.includes(room) ?? false
}

/** `/expression/flags`, or text in either case. */
function textFilter(text) {
  if (text === '') return undefined
  const [, source, flags] = /^\/(.+)\/([a-z]*)$/.exec(text) ?? []
  if (source !== undefined) {
    const expression = new RegExp(source, flags.replace(/[gy]/g, ''))
    return (row) => searched(row).some((part) => expression.test(part))
  }
  const wanted = text.toLowerCase()
  return (row) => searched(row).some((part) => part.toLowerCase().includes(wanted))
}

function searched({ text, path, reason, room, error, connection, bytes, opcode }) {
  const parts = [text, path, reason, room, error, connection, opcode].filter((part) => typeof part === 'string')
  if (bytes) parts.push(String.fromCharCode(...bytes.subarray(0, 4_096)))
  return parts
}

/** A route with its dialect. */
export function routeName(route) {
  const dialect = dialectOf(route)
  return dialect ? `${route} (${dialect})` : route
}
