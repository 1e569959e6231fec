// Rows and recordings as files: JSON Lines in the form of recordings, and HAR.

import { store } from './store.js'
import { base64 } from './values.js'

/** Gives the browser a file to keep. */
export function download(name, content) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content]))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

/** A name for a file that begins now. */
export function fileName(ending) {
  return `session-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.${ending}`
}

/** Rows as a recording: its lines, and how many rows have no place in one or were cut. */
export function recordingOf(rows) {
  const written = new Written(rows[0]?.at ?? Date.now())
  const rooms = roomsBefore(rows[0])
  for (const row of rows) {
    if (row.type === 'joined') rooms.get(row.connection)?.add(row.room)
    else if (row.type === 'left') rooms.get(row.connection)?.delete(row.room)
    else written.row(row, rooms)
  }
  return { text: written.lines.join('\n') + '\n', leftOut: written.leftOut }
}

/** A recording as HAR, as Chrome's network panel imports it. Faults, gaps and torn lines have no place there. */
export function harOf(recording) {
  const entries = []
  let [start, origin, known] = [0, 'ws://localhost', new Map()]
  for (const line of recording.split('\n')) {
    const event = parsed(line)
    if (event?.switchboard) {
      start = Date.parse(event.startedAt)
      origin = /^wss?:\/\/[^/]+/.exec(event.source)?.[0] ?? `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}`
      known = new Map()
    } else if (event?.type === 'open' || event?.type === 'refuse') {
      const entry = har(origin + event.path, start + event.at, event)
      entries.push(entry)
      if (event.reason) entry._webSocketMessages.push({ type: 'error', time: (start + event.at) / 1_000, opcode: -1, data: event.reason })
      if (event.type === 'open') known.set(event.connection, entry)
    } else if (known.has(event?.connection)) {
      const entry = known.get(event.connection)
      const message = harMessage(event, line)
      if (message) entry._webSocketMessages.push({ ...message, time: (start + event.at) / 1_000 })
      entry.time = Math.max(entry.time, start + event.at - Date.parse(entry.startedDateTime))
    }
  }
  return `${JSON.stringify({ log: { version: '1.2', creator: { name: 'Switchboard', version: store.server?.version ?? '' }, pages: [], entries } }, null, 2)}\n`
}

/** The lines of a recording, as they are made. */
class Written {
  #start
  #last = 0
  #count = 0
  #numbers = new Map()
  leftOut = 0

  constructor(start) {
    this.#start = start
    const source = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}`
    this.lines = [JSON.stringify({ switchboard: 'recording', version: 1, startedAt: new Date(start).toISOString(), source })]
  }

  row(row, rooms) {
    if (row.type === 'opened') return this.#open(row.connection, row)
    if (row.type === 'refused' && row.status) return this.#line(row.at, this.#next(), 'refuse', { path: row.path, status: row.status, reason: row.reason })
    if (row.type === 'closed') return this.#line(row.at, this.#number(row), 'close', { by: row.cause, code: row.code, reason: row.reason })
    if (row.type === 'missed') return this.#gap(row.at, row.count)
    if (row.type !== 'message') return void this.leftOut++
    if (row.isCut) {
      this.leftOut++
      return this.#gap(row.at, 1)
    }
    const from = row.direction === 'in' ? 'client' : 'server'
    const message = row.bytes ? `"binary":${JSON.stringify(base64(row.bytes))}` : isJson(row.text) ? `"json":${row.text}` : `"text":${JSON.stringify(row.text)}`
    for (const connection of row.connection ? [row.connection] : receivers(row, rooms)) {
      this.#line(row.at, this.#number({ ...row, connection }), 'message', { from }, message)
    }
  }

  /** Who was open before the first row is opened with it. */
  #number({ connection, at }) {
    if (!this.#numbers.has(connection)) this.#open(connection, { at, ...known(connection) })
    return this.#numbers.get(connection)
  }

  #open(connection, { at, path, subprotocol }) {
    this.#numbers.set(connection, this.#next())
    this.#line(at, this.#numbers.get(connection), 'open', { path: path || '/', status: 101, subprotocol: subprotocol ?? undefined })
  }

  #next() {
    return ++this.#count
  }

  #gap(at, missed) {
    this.lines.push(JSON.stringify({ at: this.#at(at), type: 'gap', missed }))
  }

  #line(at, connection, type, fields, last) {
    const line = JSON.stringify({ at: this.#at(at), connection, type, ...fields })
    this.lines.push(last ? `${line.slice(0, -1)},${last}}` : line)
  }

  /** Time never goes back in a recording; the clock of a server may be moved. */
  #at(at) {
    return (this.#last = Math.max(this.#last, at - this.#start))
  }
}

/** In which rooms everyone was when the first of some rows came: those of now, without what has happened since. */
function roomsBefore(first) {
  const rooms = new Map()
  const all = [...store.connections.values(), ...store.ended.items()]
  for (const { id, rooms: now = [] } of all) rooms.set(id, new Set(now))
  for (let index = store.frames.length - 1; index >= 0; index--) {
    const row = store.frames.at(index)
    if (first && row.number < first.number) break
    if (row.type === 'joined') rooms.get(row.connection)?.delete(row.room)
    if (row.type === 'left') rooms.get(row.connection)?.add(row.room)
  }
  return rooms
}

/** Who got a message for several, as far as the page knows: who was there, without the sender where one got it less. */
function receivers({ route, room, at, receivers: count }, rooms) {
  const all = [...store.connections.values(), ...store.ended.items()]
  const there = all.filter((one) => one.route === route && (one.openedAt ?? 0) <= at && (one.closedAt ?? Infinity) >= at)
  return there.filter(({ id }) => room === undefined || rooms.get(id)?.has(room)).map(({ id }) => id).slice(0, count)
}

function known(id) {
  return store.connections.get(id) ?? store.ended.items().find((one) => one.id === id)
}

/** One JSON value without line breaks and white space around it, which a recording has as it is. */
function isJson(text) {
  if (/[\r\n]/.test(text) || text !== text.trim()) return false
  return parsed(text) !== undefined
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function harMessage(event, line) {
  const type = event.from === 'client' || event.by === 'client' ? 'send' : 'receive'
  if (event.type === 'close') {
    if (event.by === 'lost') return { type: 'error', opcode: -1, data: event.reason ?? '' }
    const code = event.code ?? 1000
    const bytes = code === 1005 ? [] : [code >> 8, code & 255, ...new TextEncoder().encode(event.reason ?? '')]
    return { type, opcode: 8, data: base64(Uint8Array.from(bytes)) }
  }
  if (event.type !== 'message') return undefined
  if (event.binary !== undefined) return { type, opcode: 2, data: event.binary }
  return { type, opcode: 1, data: event.text ?? writtenJson(line, event.json) }
}

/** The JSON of a message as it was written, byte for byte: the last value of its line. */
function writtenJson(line, value) {
  const text = line.trim().slice(line.trim().indexOf('"json":') + 7, -1)
  return parsed(text) === undefined ? JSON.stringify(value) : text
}

function har(url, at, { status = 101, headers = [], responseHeaders = [], subprotocol }) {
  const pairs = (list) => list.map(([name, value]) => ({ name, value }))
  const chosen = subprotocol && !responseHeaders.some(([name]) => name.toLowerCase() === 'sec-websocket-protocol') ? [['sec-websocket-protocol', subprotocol]] : []
  const query = url.includes('?') ? [...new URLSearchParams(url.slice(url.indexOf('?') + 1))] : []
  const both = { httpVersion: 'HTTP/1.1', cookies: [], headersSize: -1 }
  return {
    startedDateTime: new Date(at).toISOString(),
    time: 0,
    request: { method: 'GET', url, ...both, headers: pairs(headers), queryString: pairs(query), bodySize: 0 },
    response: { status, statusText: status === 101 ? 'Switching Protocols' : '', ...both, headers: pairs([...responseHeaders, ...chosen]), content: { size: 0, mimeType: 'x-unknown' }, redirectURL: '', bodySize: -1 },
    cache: {},
    timings: { send: 0, wait: 0, receive: 0 },
    _resourceType: 'websocket',
    _webSocketMessages: [],
  }
}
