/** How connections end. */

import { expect, test } from 'vitest'
import type { WebSocketConnection } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { serve, signal } from './support/server.js'

async function open() {
  const opened = signal<WebSocketConnection>()
  const closed = signal<unknown[]>()
  let hooks = 0
  const server = await serve({
    pattern: '/',
    defaultRoom: 'room',
    onConnect: (connection) => opened.resolve(connection),
    onMessage: () => {},
    onClose: (connection, ...rest) => {
      hooks++
      closed.resolve([...rest, connection.getRooms()])
    },
  })
  const client = await connect(server.url('/api/'))
  return { client, connection: await opened.promise, closed: closed.promise, hooks: () => hooks, server }
}

test('by the server', async () => {
  const { client, connection, closed } = await open()
  const closing = connection.close(4001, 'because')
  expect(connection.closed).toBe(true)
  await closing
  expect(await client.ended).toEqual({ code: 4001, reason: 'because' })
  expect(await closed).toEqual([4001, 'because', false, ['room']])
  await connection.close()
  await connection.send('nobody')
  connection.broadcast('nobody')
  connection.ping()
  connection.joinRoom('x')
  expect(connection.getRooms()).toEqual([])
})

test('by the client, with and without a code', async () => {
  const first = await open()
  first.client.socket.close(4002, 'bye')
  expect(await first.closed).toEqual([4002, 'bye', true, ['room']])
  const second = await open()
  second.client.socket.close()
  expect(await second.closed).toEqual([1005, '', true, ['room']])
})

test('by a cut', async () => {
  const { client, closed, hooks } = await open()
  client.socket.terminate()
  expect(await closed).toEqual([1006, '', true, ['room']])
  expect(hooks()).toBe(1)
})

test('by force', async () => {
  const { client, connection, closed } = await open()
  connection.forceClose()
  expect((await client.ended).code).toBe(1006)
  expect(await closed).toEqual([1006, '', false, ['room']])
})

test('a code that cannot be sent leaves the connection open', async () => {
  const { client, connection } = await open()
  for (const code of [1005, 1006, 999, 70_000, 1000.5, Number.NaN]) {
    await expect(connection.close(code)).rejects.toThrow(RangeError)
  }
  // Nobody awaits this one.
  void connection.close(1005)
  expect(connection.closed).toBe(false)
  connection.send('still here')
  expect(await client.next()).toBe('still here')
})

test('close() is done after onClose', async () => {
  const order: string[] = []
  const opened = signal<WebSocketConnection>()
  const server = await serve({
    pattern: '/',
    onConnect: (connection) => opened.resolve(connection),
    onClose: async () => {
      order.push('begins')
      await new Promise((resolve) => setImmediate(resolve))
      order.push('ends')
    },
  })
  await connect(server.url('/api/'))
  const connection = await opened.promise
  await connection.close()
  order.push('closed')
  expect(order).toEqual(['begins', 'ends', 'closed'])
  await connection.close()
})

test('a callback may await close()', async () => {
  const ended = signal<string[]>()
  const order: string[] = []
  const server = await serve({
    pattern: '/',
    onMessage: async (connection, data) => {
      await connection.close(4000, String(data))
      await connection.close()
      order.push('closed')
    },
    onClose: async (connection) => {
      await connection.close()
      order.push('onClose')
      ended.resolve(order)
    },
  })
  const client = await connect(server.url('/api/'))
  client.socket.send('enough')
  expect(await client.ended).toEqual({ code: 4000, reason: 'enough' })
  expect(await ended.promise).toEqual(['closed', 'onClose'])
})

test('the reason of a client comes back to it', async () => {
  const { client } = await open()
  client.socket.close(4002, 'bye')
  expect(await client.ended).toEqual({ code: 4002, reason: 'bye' })
})

test('a broadcast in onClose reaches the others', async () => {
  const server = await serve({
    pattern: '/',
    onClose: (connection) => connection.broadcast({ left: connection.id }),
  })
  const [leaving, staying] = [await connect(server.url('/api/')), await connect(server.url('/api/'))]
  await leaving.close()
  expect(await staying.json()).toEqual({ left: expect.any(String) })
})

test('a server that closes says 1001', async () => {
  const { client, closed, server } = await open()
  await server.switchboard.close()
  expect(await client.ended).toEqual({ code: 1001, reason: '' })
  expect(await closed).toEqual([1001, '', false, ['room']])
})
