/** Messages that never end cost a bounded amount, all connections together. */

import { connect as connectTcp, type Socket } from 'node:net'

import { expect, test } from 'vitest'

import { connect } from './support/client.js'
import { atEnd, serve } from './support/server.js'

const MIB = 1 << 20

/** A connection that has sent the first mebibyte of a message of two. */
async function begin(port: number): Promise<{ socket: Socket; received: () => Buffer }> {
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
  header.writeBigUInt64BE(BigInt(2 * MIB), 2)
  socket.write(Buffer.concat([header, Buffer.alloc(MIB)]))
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
