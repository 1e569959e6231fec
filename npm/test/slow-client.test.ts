/** Clients that do not read, and handlers that do not keep up. */

import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'

import { expect, test } from 'vitest'
import type { WebSocketConnection, WebSocketHandler } from 'vite-plugin-switchboard'

import { connect, handshake } from './support/client.js'
import { atEnd, serve, signal } from './support/server.js'

/** A client that has read the handshake's answer and reads nothing more. */
async function openDeaf(handler: Partial<WebSocketHandler>, closeTimeout = 100) {
  const opened = signal<WebSocketConnection>()
  const closed = signal<[number, string]>()
  const server = await serve(
    {
      pattern: '/',
      onConnect: (connection) => opened.resolve(connection),
      onClose: (_, code, reason) => closed.resolve([code, reason]),
      ...handler,
    },
    { limits: { closeTimeout } },
  )
  const socket = connectTcp(server.port, '127.0.0.1')
  atEnd(() => socket.destroy())
  socket.write(handshake('/api/'))
  await once(socket, 'readable')
  return { server, socket, connection: await opened.promise, closed: closed.promise }
}

/** Sends until the engine's own queue is used, whatever the system's buffers take. */
function flood(connection: WebSocketConnection, megabytes: number): void {
  const piece = Buffer.alloc(1 << 16)
  for (let count = 0; count < megabytes * 16; count++) connection.send(piece)
}

async function turns(socket: Socket | undefined, until: () => boolean): Promise<void> {
  while (!until()) await new Promise<void>((resolve) => setImmediate(resolve))
  void socket
}

test('who does not read is closed with 1013', async () => {
  const { server, connection, closed } = await openDeaf({})
  const healthy = await connect(server.url('/api/'))
  const fill = async () => {
    while (!connection.closed) {
      flood(connection, 2)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
  await fill()
  expect((await closed)[0]).toBe(1013)
  expect(server.lines.some((line) => line.includes('1013'))).toBe(true)
  expect(await healthy.close()).toEqual({ code: 1000, reason: '' })
})

test('with drop-oldest the connection stays, and the newest arrive', async () => {
  const { server, connection, socket } = await openDeaf({ outbound: { maxBytes: 1 << 18, overflow: 'drop-oldest' } })
  for (let round = 0; round < 50; round++) {
    flood(connection, 1)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  connection.send('the newest')
  let tail = Buffer.alloc(0)
  let total = 0
  socket.on('data', (chunk: Buffer) => {
    total += chunk.length
    tail = Buffer.concat([tail, chunk]).subarray(-10)
  })
  await turns(socket, () => tail.toString() === 'the newest')
  expect(total).toBeLessThan(50 << 20)
  expect(connection.closed).toBe(false)
  // Ten bytes of header each; what else came is less than one of them.
  const received = Math.floor(total / ((1 << 16) + 10))
  expect(server.switchboard.stats().droppedMessages).toEqual({ '/api/': 50 * 16 - received })
  const lines = server.lines.filter((line) => line.includes(`/api/ drops messages for connection ${connection.id}`))
  expect(lines.length).toBeGreaterThan(0)
})

test('a flood that does not end in overflow arrives whole', async () => {
  const { connection, socket } = await openDeaf({ outbound: { maxBytes: 64 << 20 } })
  flood(connection, 20)
  connection.send('end')
  let total = 0
  let tail = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    total += chunk.length
    tail = Buffer.concat([tail, chunk]).subarray(-3)
  })
  await turns(socket, () => tail.toString() === 'end')
  expect(total).toBeGreaterThan(20 << 20)
})

test('how much a handler sends in one go is no sign of a slow client', async () => {
  const server = await serve({
    pattern: '/',
    onMessage: (connection) => {
      flood(connection, 8)
      connection.send('end')
    },
  })
  const client = await connect(server.url('/api/'))
  client.send('x')
  let total = 0
  for (let message; (message = await client.next()) !== 'end'; ) total += message.length
  expect(total).toBe(8 << 20)
})

test('a handler that is behind stops the reading, not the server', async () => {
  const release = signal()
  let handled = 0
  const server = await serve({
    pattern: '/',
    onMessage: async () => {
      await release.promise
      handled++
    },
  })
  const client = await connect(server.url('/api/'))
  const piece = Buffer.alloc(1 << 16)
  const count = 400
  for (let sent = 0; sent < count; sent++) client.send(piece)
  const other = await connect(server.url('/api/'))
  await other.close()
  expect(client.socket.bufferedAmount).toBeGreaterThan(0)
  release.resolve()
  await turns(undefined, () => handled === count)
})

test('a client that reads slowly gets all that was sent before the close frame', async () => {
  const length = 16 << 20
  const { connection, socket } = await openDeaf({}, 1000)
  connection.send(Buffer.alloc(length))
  void connection.close(4000, 'bye')
  const closing = Date.now()
  let total = 0
  let tail = Buffer.alloc(0)
  const reading = setInterval(() => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    total += chunk.length
    tail = Buffer.concat([tail, chunk]).subarray(-7)
    if (total >= length && tail[0] === 0x88) socket.end()
  }, 10)
  atEnd(() => clearInterval(reading))
  await once(socket, 'close')
  expect(Date.now() - closing).toBeGreaterThan(1250)
  expect(total).toBeGreaterThan(length)
  expect([...tail]).toEqual([0x88, 5, 4000 >> 8, 4000 & 0xff, ...Buffer.from('bye')])
})
