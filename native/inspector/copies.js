// A connection as it is written elsewhere: for curl and wscat, in JavaScript, as a test.

import { store } from './store.js'
import { quoted } from './values.js'

/** Frames that a test takes over at most. */
const MOST = 50

function urlOf({ path, query }) {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  return `${scheme}://${location.host}${path}${query ? `?${query}` : ''}`
}

/**
 * The opening handshake as a command, which shows the answer and then the frames as they come. Any curl can do that; only new
 * ones know ws:// themselves.
 */
export function curl(url, subprotocols = []) {
  const headers = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: c3dpdGNoYm9hcmQtcGFnZQ==']
  if (subprotocols.length > 0) headers.push(`Sec-WebSocket-Protocol: ${subprotocols.join(', ')}`)
  const given = headers.map((header) => `-H ${quoted(header)}`).join(' ')
  return `curl --include --no-buffer --http1.1 --output - ${given} ${quoted(url.replace(/^ws/, 'http'))}`
}

/** The opening handshake of a connection as a command. */
export function asCurl(connection) {
  return curl(urlOf(connection), connection.subprotocol ? [connection.subprotocol] : [])
}

/** The beginning of a conversation as a command. */
export function asWscat(connection) {
  const first = messagesOf(connection.id).find(({ direction, text }) => direction === 'in' && typeof text === 'string')
  const subprotocol = connection.subprotocol ? ` -s ${quoted(connection.subprotocol)}` : ''
  return `npx wscat -c ${quoted(urlOf(connection))}${subprotocol}${first ? ` -x ${quoted(first.text)} -w 60` : ''}`
}

/** A client that says what this one said. */
export function asJavaScript(connection) {
  const said = messagesOf(connection.id).filter(({ direction }) => direction === 'in')
  const subprotocol = connection.subprotocol ? `, ${JSON.stringify(connection.subprotocol)}` : ''
  return [
    `const socket = new WebSocket(${JSON.stringify(urlOf(connection))}${subprotocol})`,
    'socket.onmessage = ({ data }) => console.log(data)',
    'socket.onopen = () => {',
    ...said.map((frame) => `  socket.send(${literal(frame)})`),
    '}',
    '',
  ].join('\n')
}

/** A test for the fixture of Vitest in which the server plays its part of the conversation. */
export function asTest(connection) {
  const path = JSON.stringify(`${connection.path}${connection.query ? `?${connection.query}` : ''}`)
  const subprotocol = connection.subprotocol ? `, ${JSON.stringify(connection.subprotocol)}` : ''
  const steps = messagesOf(connection.id).map((frame) =>
    frame.direction === 'in' ? `  await expect(client).toReceive(${expected(frame)})` : `  client.send(${literal(frame)})`,
  )
  return [
    "import { expect, test } from 'vite-plugin-switchboard/vitest'",
    '',
    `test(${JSON.stringify(`talks on ${connection.path}`)}, async ({ server }) => {`,
    `  const socket = new WebSocket(server.url(${path})${subprotocol}) // in its place: what you test`,
    '  const client = await server.connection()',
    ...steps,
    '  socket.close()',
    '})',
    '',
  ].join('\n')
}

function messagesOf(id) {
  const found = []
  for (let index = 0; index < store.frames.length && found.length < MOST; index++) {
    const frame = store.frames.at(index)
    if (frame.type === 'message' && frame.connection === id && !frame.isCut) found.push(frame)
  }
  return found
}

function literal({ text, bytes }) {
  return bytes ? `new Uint8Array([${bytes.join(', ')}])` : JSON.stringify(text)
}

function expected(frame) {
  try {
    const value = JSON.parse(frame.text)
    if (typeof value === 'object' && value !== null) return JSON.stringify(value)
  } catch {
    // Text as it is.
  }
  return literal(frame)
}
