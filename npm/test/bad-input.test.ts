/** Requests that are not what they should be, in a real Vite. */

import { expect, test } from 'vitest'

import { connect, handshake, raw, refusal } from './support/client.js'
import { serve, serveVite } from './support/server.js'

async function open() {
  const server = await serveVite({
    wsHandlers: [{ pattern: '/echo', onMessage: (connection, message) => connection.send(message) }],
  })
  const expectAlive = async () => {
    const client = await connect(server.url('/api/echo'))
    client.send('alive')
    expect(await client.next()).toBe('alive')
  }
  return { server, expectAlive }
}

test.each([
  ['an URL that is none', handshake('*@[')],
  ['an URL with characters that it cannot have', handshake('/api/echo<')],
  ['a Host that is none', handshake('/api/echo', { Host: '[' })],
  ['no Host', handshake('/api/echo').replace('Host: localhost\r\n', '')],
  ['two Hosts', handshake('/api/echo', { host: 'other' })],
  ['no key', handshake('/api/echo').replace(/Sec-WebSocket-Key: .*\r\n/, '')],
  ['a bad key', handshake('/api/echo', { 'Sec-WebSocket-Key': 'short' })],
  ['another upgrade', handshake('/api/echo', { Upgrade: 'h2c' })],
  ['HTTP/1.0', handshake('/api/echo').replace('HTTP/1.1', 'HTTP/1.0')],
  ['a malformed subprotocol', handshake('/api/echo', { 'Sec-WebSocket-Protocol': 'a b' })],
])('%s is answered 400', async (_, request) => {
  const { server, expectAlive } = await open()
  expect((await raw(server.port, request)).split('\r\n')[0]).toBe('HTTP/1.1 400 Bad Request')
  await expectAlive()
})

test.each(['', '8', '13, 8'])('the version %j is answered 426 and the right one', async (version) => {
  const { server, expectAlive } = await open()
  const answer = await raw(server.port, handshake('/api/echo', { 'Sec-WebSocket-Version': version }))
  expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 426 Upgrade Required')
  expect(answer.toLowerCase()).toContain('sec-websocket-version: 13\r\n')
  await expectAlive()
})

test('another method is answered 405', async () => {
  const { server, expectAlive } = await open()
  const answer = await raw(server.port, handshake('/api/echo').replace('GET', 'POST'))
  expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 405 Method Not Allowed')
  await expectAlive()
})

test('a prefix ends at a slash', async () => {
  const server = await serve({ pattern: '/**' })
  let foreign = 0
  server.server.on('upgrade', (request, socket) => {
    if (!request.url!.startsWith('/apix')) return
    foreign++
    socket.end('HTTP/1.1 418 I am a teapot\r\nConnection: close\r\n\r\n')
  })
  await connect(server.url('/api/x'))
  await connect(server.url('/api'))
  expect(await refusal(server.url('/apix'))).toBe(418)
  expect(foreign).toBe(1)
})

test('a client that resets at any time harms nobody', async () => {
  const { server, expectAlive } = await open()
  for (const path of ['/api/echo', '/api/nowhere', '/']) {
    const { connect: connectTcp } = await import('node:net')
    const socket = connectTcp(server.port, '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    await new Promise<void>((resolve) => socket.write(handshake(path), () => resolve()))
    socket.resetAndDestroy()
  }
  await expectAlive()
})
