// @vitest-environment happy-dom
/** Servers for tests where the globals are those of a DOM. */

import { expect, test } from 'vite-plugin-switchboard/vitest'

test('the WebSocket of happy-dom talks to it', async ({ server }) => {
  const socket = new (globalThis as any).WebSocket(server.url('/chat'), ['json'])
  socket.onopen = () => socket.send('hello')
  const connection = await server.connection('/chat')
  await expect(connection).toReceive('hello')
  expect(connection.subprotocol).toBe('json')
  const answer = new Promise((resolve) => (socket.onmessage = ({ data }: { data: unknown }) => resolve(data)))
  connection.send({ type: 'welcome' })
  expect(await answer).toBe('{"type":"welcome"}')
  socket.close()
  await expect(server).toHaveConnections(0)
})
