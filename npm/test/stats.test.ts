/** How much a server holds. */

import { connect as connectTcp } from 'node:net'

import { expect, test, vi } from 'vitest'
import { createSwitchboard, switchboard, type WebSocketConnection } from 'vite-plugin-switchboard'

import { connect, handshake } from './support/client.js'
import { atEnd, serve, serveVite, signal } from './support/server.js'

const nothing = {
  connections: 0,
  rooms: 0,
  timers: 0,
  calls: 0,
  upstreams: 0,
  clientBytes: { undecoded: 0, waiting: 0, queued: 0 },
  upstreamBytes: { received: 0, undecoded: 0, waiting: 0, queued: 0, sent: 0, dropped: 0 },
}

test('statistics count what there is, and nothing when all have left', async () => {
  const { promise, resolve } = signal()
  const server = await serve({
    pattern: '/chat',
    heartbeat: 60_000,
    onConnect: (conn) => conn.joinRoom('lobby'),
    onMessage: () => promise,
  })
  const { stats } = server.switchboard
  expect(stats()).toMatchObject(nothing)
  const [ada, bob] = [await connect(server.url('/api/chat')), await connect(server.url('/api/chat'))]
  expect(stats()).toMatchObject({ ...nothing, connections: 2, rooms: 1, timers: 2 })
  ada.send('wait')
  // A running function has a deadline too.
  await vi.waitFor(() => expect(stats()).toMatchObject({ ...nothing, connections: 2, rooms: 1, timers: 3, calls: 1 }))
  bob.socket.close()
  ada.socket.terminate()
  await vi.waitFor(() => expect(stats()).toMatchObject({ rooms: 0, calls: 1 }))
  resolve()
  await vi.waitFor(() => expect(stats()).toMatchObject(nothing))
})

test('the plugin has them too, as long as it serves', async () => {
  const plugin = switchboard({ wsHandlers: [{ pattern: '/chat', defaultRoom: 'lobby' }] })
  expect(plugin.api.stats()).toMatchObject(nothing)
  const server = await serveVite({}, { plugins: [plugin] })
  await connect(server.url('/api/chat'))
  expect(plugin.api.stats()).toMatchObject({ ...nothing, connections: 1, rooms: 1 })
  await server.stop()
  expect(plugin.api.stats()).toMatchObject(nothing)
})

test('half a message counts until the rest comes', async () => {
  const server = await serve({ pattern: '/chat', onMessage: (connection, message) => connection.send(message) })
  const client = await connect(server.url('/api/chat'))
  const clientBytes = () => server.switchboard.stats().clientBytes
  // A fragment, and later the rest of its message.
  client.socket.send('a'.repeat(1000), { fin: false })
  await vi.waitFor(() => expect(clientBytes()).toMatchObject({ received: 0, undecoded: 1000 }))
  client.socket.send('b', { fin: true })
  expect(await client.next()).toHaveLength(1001)
  expect(clientBytes()).toMatchObject({ received: 1001, undecoded: 0 })
})

test('messages that the plugin drops for slow clients are counted by route', async () => {
  const { promise, resolve } = signal<WebSocketConnection>()
  const outbound = { maxBytes: 1, overflow: 'drop-oldest' } as const
  const handlers = [{ pattern: '/ticker/{symbol}', onConnect: resolve, outbound }, { pattern: '/chat' }]
  const plugin = switchboard({ wsHandlers: handlers })
  const server = await serveVite({}, { plugins: [plugin] })
  expect(plugin.api.stats().droppedMessages).toEqual({})
  const deaf = connectTcp(server.port, '127.0.0.1')
  atEnd(() => deaf.destroy())
  deaf.write(handshake('/api/ticker/gold'))
  const connection = await promise
  const piece = Buffer.alloc(1 << 20)
  await vi.waitFor(() => {
    connection.send(piece)
    expect(plugin.api.stats().droppedMessages).toEqual({ '/api/ticker/{symbol}': expect.any(Number) })
  })
})

test('where nothing is served there is nothing', () => {
  expect(createSwitchboard({ disable: true }).stats()).toMatchObject(nothing)
})
