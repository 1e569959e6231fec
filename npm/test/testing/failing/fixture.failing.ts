/** Tests that fail on purpose, each in a way of its own. */

import { WebSocket } from 'ws'
import { expect, test } from 'vite-plugin-switchboard/vitest'

import { later } from './handler.js'

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
  return socket
}

test('passes', async ({ server }) => {
  const client = await open(server.url('/chat'))
  client.send(JSON.stringify({ type: 'join', room: 'general' }))
  await expect(server).toReceive({ type: 'join', room: expect.any(String) })
  client.close()
})

test('leaves a connection', async ({ server }) => {
  await open(server.url('/chat?token=1'))
})

test('expects another message', async ({ server }) => {
  const client = await open(server.url('/chat'))
  client.send(JSON.stringify({ type: 'hello' }))
  await expect(await server.connection()).toReceive({ type: 'join' }, { timeout: 50 })
})

test('has a handler that throws', async ({ server }) => {
  server.use(later)
  const client = await open(server.url('/later'))
  client.send('now')
  await new Promise((resolve) => client.on('message', resolve))
  client.close()
})

const strict = test.extend({ serverOptions: { verify: { unread: true, leftovers: true }, serve: { pattern: '/only' } } })

strict('reads not everything', async ({ server }) => {
  const client = await open(server.url('/only'))
  client.send('nobody reads this')
  await server.connection()
  await expect(server).toHaveConnections(1)
  await expect(server).not.toReceiveNothingFor(1000)
})

strict('connects where nothing is', async ({ server }) => {
  new WebSocket(server.url('/onyl')).on('error', () => {})
  await server.connection('/only', { timeout: 100 })
})
