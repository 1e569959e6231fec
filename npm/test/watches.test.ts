/** Pings, heartbeat and inactivity. */

import { expect, test } from 'vitest'
import type { WebSocketConnection, WebSocketHandler } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { serve, signal } from './support/server.js'

async function open(handler: Partial<WebSocketHandler>, clientOptions = {}) {
  const opened = signal<WebSocketConnection>()
  const server = await serve({ pattern: '/', onConnect: (connection) => opened.resolve(connection), ...handler })
  const client = await connect(server.url('/api/'), clientOptions)
  const frames: string[] = []
  client.socket.on('ping', (data) => frames.push(`ping ${data}`))
  client.socket.on('pong', (data) => frames.push(`pong ${data}`))
  return { client, frames, connection: await opened.promise }
}

test('a ping gets one pong', async () => {
  const { client, frames } = await open({ onMessage: (connection) => connection.send('end') })
  client.socket.ping('a')
  client.send('x')
  await client.next()
  expect(frames).toEqual(['pong a'])
})

test('with onPing it gets none but the handler’s own', async () => {
  const { client, frames } = await open({
    onPing: (connection, data) => {
      expect(data).toBeInstanceOf(Buffer)
      if (data.toString() === 'b') connection.pong(data)
    },
    onMessage: (connection) => connection.send('end'),
  })
  client.socket.ping('a')
  client.socket.ping('b')
  client.send('x')
  await client.next()
  expect(frames).toEqual(['pong b'])
})

test('pings and pongs of the handler', async () => {
  const pong = signal<string>()
  const { frames, connection, client } = await open({ onPong: (_, data) => pong.resolve(data.toString()) })
  connection.ping('from the server')
  expect(await pong.promise).toBe('from the server')
  connection.pong(new Uint8Array([65]))
  connection.send('end')
  await client.next()
  expect(frames).toEqual(['ping from the server', 'pong A'])
})

test('the heartbeat closes who does not answer', async () => {
  const { client, frames } = await open({ heartbeat: 20 }, { autoPong: false })
  expect(await client.ended).toEqual({ code: 1000, reason: 'No pong received' })
  expect(frames).toEqual(['ping heartbeat', 'ping heartbeat', 'ping heartbeat'])
})

test('the heartbeat keeps who answers, until it is stopped', async () => {
  const { client, connection } = await open({})
  connection.startHeartbeat(10)
  let pings = 0
  await new Promise<void>((resolve) => client.socket.on('ping', () => ++pings === 6 && resolve()))
  connection.resetMissedPong()
  connection.stopHeartbeat()
  expect(connection.closed).toBe(false)
})

test('silence ends a connection, unless it is stopped', async () => {
  const { client } = await open({ inactivityTimeout: 30 })
  expect(await client.ended).toEqual({ code: 1000, reason: 'Inactivity timeout' })

  const other = await open({})
  other.connection.startInactivityTimeout(20)
  other.connection.stopInactivityTimeout()
  other.connection.resetInactivityTimer(40)
  expect(await other.client.ended).toEqual({ code: 1000, reason: 'Inactivity timeout' })
  expect(() => other.connection.startHeartbeat(-1)).toThrow(RangeError)
})
