/** What the systems that the dialects speak like tell their users to do, on a Vite server. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { Socket } from 'phoenix'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { type Client, connect } from './support/client.js'
import { atEnd, type Running, serveVite } from './support/server.js'

const kill = {
  killmail_id: 123456789,
  victim: { character_name: 'Player Name', character_id: 123456, ship_type_name: 'Rifter', ship_type_id: 587 },
  attackers: [],
  solar_system_id: 30000142,
  killmail_time: '2024-01-15T12:30:45Z',
}

/** One server for the first three; the fourth lives at the same path as the second. */
async function start(): Promise<Running> {
  const echo = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(echo, 'listening')
  echo.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })))
  atEnd(() => echo.close())
  const target = `ws://127.0.0.1:${(echo.address() as AddressInfo).port}`
  const ticker = { symbol: 'MOCK', price: 100.5, change: 1.25 }
  return serveVite({
    feeds: [{ name: 'killmails', key: ['system_id', 'solar_system_id'], post: true }],
    routes: [
      { pattern: '/socket/websocket', dialect: 'phoenix', phoenix: { killmails: true } },
      { pattern: '/', dialect: 'actions' },
      {
        pattern: '/ws',
        dialect: 'events',
        events: {
          mock: [
            { name: 'ticker', interval: 50, data: ticker },
            { name: 'notifications', data: { message: 'System update', type: 'info' } },
          ],
          autoStart: false,
          stats: '/admin/websocket/stats',
        },
      },
      { pattern: '/ws/proxy/**', dialect: 'proxy', proxy: { targets: { echo: target } } },
    ],
  })
}

async function publish({ port }: Running, value: unknown): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/feeds/killmails`, { method: 'POST', body: JSON.stringify(value) })
  expect(answer.status).toBe(202)
}

/** Waits until all that was sent is handled. */
async function settled(client: Client): Promise<void> {
  client.socket.ping()
  await once(client.socket, 'pong')
}

test('a killmail reaches WandererKills channels and EVE-KILL subscribers', async () => {
  const server = await start()
  const socket = new Socket(server.url('/socket'), { transport: WebSocket, params: { client_identifier: 'my_app_name' } })
  socket.connect()
  atEnd(() => socket.disconnect())
  const channel = socket.channel('killmails:lobby', { systems: [30000142, 30002187] })
  const reply = (push: any) =>
    new Promise<any>((resolve, reject) => push.receive('ok', resolve).receive('error', (error: unknown) => reject(error)))
  expect(await reply(channel.join())).toMatchObject({ subscribed_systems: [30000142, 30002187], status: 'connected' })
  await reply(channel.push('subscribe_systems', { systems: [30000144, 30002659] }))
  await reply(channel.push('unsubscribe_systems', { systems: [30002187] }))
  const status = await reply(channel.push('get_status', {}))
  expect(status.subscribed_systems).toEqual([30000142, 30000144, 30002659])

  const plain = await connect(server.url(''))
  plain.send('{"action":"sub","channel":"kills"}')
  await settled(plain)

  const update = new Promise<any>((resolve) => channel.on('killmail_update', resolve))
  const count = new Promise<any>((resolve) => channel.on('kill_count_update', resolve))
  await publish(server, kill)
  expect(await update).toMatchObject({ system_id: 30000142, killmails: [{ killmail_id: 123456789 }] })
  expect(await count).toMatchObject({ system_id: 30000142, count: 1 })
  expect(await plain.json()).toEqual({ action: 'kill', data: kill })

  plain.send('{"action":"unsub","channel":"kills"}')
  await settled(plain)
  await publish(server, { ...kill, killmail_id: 2 })
  await settled(plain)
  expect(plain.rest).toEqual([])
})

test('the Mock API Server: subscribe, request, ping, proxy and statistics', async () => {
  const server = await start()
  const client = await connect(server.url('/ws'))
  const timestamp = expect.any(String)
  expect(await client.json()).toMatchObject({ type: 'connected', clientId: expect.any(String), timestamp })
  client.send({ type: 'request', event: 'notifications' })
  const data = { message: 'System update', type: 'info' }
  expect(await client.json()).toEqual({ type: 'response', event: 'notifications', data, timestamp })
  client.send({ type: 'ping' })
  expect(await client.json()).toEqual({ type: 'pong', timestamp })
  client.send({ type: 'subscribe', event: 'ticker' })
  const seen = []
  while (seen.length < 4) seen.push(await client.json())
  const event = { type: 'event', name: 'ticker', data: { symbol: 'MOCK', price: 100.5, change: 1.25 }, timestamp }
  expect(seen).toContainEqual({ type: 'subscribed', event: 'ticker', timestamp })
  expect(seen.filter(({ type }) => type === 'event')).toEqual([event, event, event])
  client.send({ type: 'unsubscribe', event: 'ticker' })
  for (;;) {
    const message = await client.json()
    if (message.type !== 'event') {
      expect(message).toEqual({ type: 'unsubscribed', event: 'ticker', timestamp })
      break
    }
  }

  const proxied = await connect(server.url('/ws/proxy/echo'))
  expect(await proxied.json()).toMatchObject({ type: 'proxy_connected', routeName: 'echo' })
  proxied.send('Hello from proxy!')
  expect(await proxied.next()).toBe('Hello from proxy!')
  const stats = await fetch(`http://127.0.0.1:${server.port}/admin/websocket/stats`)
  expect(await stats.json()).toMatchObject({ data: { connectedClients: 2, proxyConnections: 1 } })
})

test('Rakit: everyone, one, a channel, commands and presence', async () => {
  const server = await serveVite({ routes: [{ pattern: '/', dialect: 'commands', commands: { disconnect: 'everyone' } }] })
  const ann = await connect(server.url(''))
  const first = await ann.json()
  expect(first).toMatchObject({ type: 'presence', users: [{ id: expect.any(String), connected_at: expect.any(Number) }] })
  const bob = await connect(server.url(''))
  const { users } = await bob.json()
  expect((await ann.json()).users).toEqual(users)
  const id = first.users[0].id
  const bobsId = users.find((user: { id: string }) => user.id !== id).id

  ann.send({ message: 'Hello everyone!' })
  for (const client of [ann, bob]) {
    expect(await client.json()).toEqual({ client_id: id, message: '{"message":"Hello everyone!"}' })
  }
  ann.send({ to: bobsId, message: 'Hello!' })
  expect(await bob.json()).toEqual({ client_id: id, message: 'Hello!' })
  bob.send({ event: 'subscribe', channel: 'chat' })
  await settled(bob)
  ann.send({ event: 'message', channel: 'chat', data: 'Hello channel!' })
  expect(await bob.json()).toEqual({ channel: 'chat', data: 'Hello channel!', client_id: id })
  ann.send({ command: 'broadcast', message: 'Server message' })
  expect(await bob.json()).toEqual({ client_id: id, message: 'Server message' })
  ann.send({ command: 'disconnect', client_id: bobsId })
  expect((await bob.ended).code).toBe(1000)
})
