/** How much a server holds. */

import { expect, test, vi } from 'vitest'
import { createSwitchboard, switchboard } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { serve, serveVite, signal } from './support/server.js'

const nothing = {
  connections: 0,
  rooms: 0,
  timers: 0,
  calls: 0,
  upstreams: 0,
  clientBytes: { waiting: 0, queued: 0 },
  upstreamBytes: { received: 0, waiting: 0, queued: 0, sent: 0, dropped: 0 },
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

test('where nothing is served there is nothing', () => {
  expect(createSwitchboard({ disable: true }).stats()).toMatchObject(nothing)
})
