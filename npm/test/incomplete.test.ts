/** Messages that never end cost a bounded amount, all connections together. */

import { connect as connectTcp, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { connect } from './support/client.js'
import { atEnd, serve } from './support/server.js'

const MIB = 1 << 20

/** A connection that has sent all but the last mebibyte of a message. */
async function begin(port: number, size = 2 * MIB): Promise<{ socket: Socket; received: () => Buffer }> {
  const socket = connectTcp(port, '127.0.0.1')
  atEnd(() => socket.destroy())
  let received = Buffer.alloc(0)
  const opened = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.includes('\r\n\r\n')) resolve()
    })
  })
  socket.on('error', () => {})
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  await opened
  const header = Buffer.alloc(14)
  header.writeUInt8(0x82, 0)
  header.writeUInt8(0x80 | 127, 1)
  header.writeBigUInt64BE(BigInt(size), 2)
  socket.write(Buffer.concat([header, Buffer.alloc(size - MIB)]))
  return { socket, received: () => received }
}

test('the largest are closed with 1013, and the others go on', async () => {
  const server = await serve([], { endpointPrefix: [], routes: [{ pattern: '/ws', dialect: 'echo' }], limits: { inboundBytes: 4 * MIB } })
  const patient = await connect(server.url('/ws'))
  const clients: Awaited<ReturnType<typeof begin>>[] = []
  for (let count = 0; count < 8; count++) clients.push(await begin(server.port))
  const isClosed = ({ received }: { received: () => Buffer }): boolean => received().includes('Too many incomplete messages')
  await expect.poll(() => clients.filter(isClosed).length, { timeout: 5_000 }).toBeGreaterThanOrEqual(4)
  patient.send('hello')
  expect(await patient.next()).toBe('hello')
  expect(clients.filter(isClosed).length).toBeLessThanOrEqual(5)
  const [one, ...others] = clients.filter((client) => !isClosed(client))
  for (const { socket } of [...others, ...clients.filter(isClosed)]) socket.destroy()
  await expect.poll(() => server.switchboard.stats().connections, { timeout: 5_000 }).toBe(2)
  const before = one!.received().length
  one!.socket.write(Buffer.alloc(MIB))
  await expect.poll(() => one!.received().length - before, { timeout: 5_000 }).toBeGreaterThan(2 * MIB)
})

test('memory that a flood took is given back when everybody has left', async () => {
  const server = await serve([], { endpointPrefix: [], routes: [{ pattern: '/ws', dialect: 'echo' }], logLevel: 'debug' })
  const clients = await Promise.all(Array.from({ length: 8 }, () => begin(server.port, 15 * MIB)))
  await expect.poll(() => server.switchboard.stats().clientBytes.undecoded, { timeout: 10_000 }).toBe(8 * 14 * MIB)
  for (const { socket } of clients) socket.destroy()
  await expect.poll(() => server.lines.find((line) => line.includes('made anew')), { timeout: 5_000 }).toMatch(/kept \d{3} MiB/)
  const next = await connect(server.url('/ws'))
  next.send('hello')
  expect(await next.next()).toBe('hello')
  expect(server.switchboard.stats().connections).toBe(1)
})

test('an engine with feeds keeps what they remember', async () => {
  const feeds = [{ name: 'news', history: 10 }]
  const server = await serve([], { endpointPrefix: [], feeds, routes: [{ pattern: '/ws', dialect: 'echo' }], logLevel: 'debug' })
  const clients = await Promise.all(Array.from({ length: 8 }, () => begin(server.port, 15 * MIB)))
  await expect.poll(() => server.switchboard.stats().clientBytes.undecoded, { timeout: 10_000 }).toBe(8 * 14 * MIB)
  for (const { socket } of clients) socket.destroy()
  await expect.poll(() => server.switchboard.stats().connections).toBe(0)
  const next = await connect(server.url('/ws'))
  next.send('hello')
  expect(await next.next()).toBe('hello')
  expect(server.lines.filter((line) => line.includes('made anew'))).toEqual([])
})
