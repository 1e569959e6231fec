/** The connection object as handlers see it. */

import { inspect } from 'node:util'

import { expect, test } from 'vitest'
import type { WebSocketConnection } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { serve, signal } from './support/server.js'

/** A server whose handler hands out its connections, and a client of it. */
async function open(path = '/api/room/a', handler = {}): Promise<{
  connection: WebSocketConnection
  client: Awaited<ReturnType<typeof connect>>
  another: () => Promise<{ connection: WebSocketConnection; client: Awaited<ReturnType<typeof connect>> }>
}> {
  let opened = signal<WebSocketConnection>()
  const server = await serve([
    { pattern: '/room/{name}', onConnect: (connection) => opened.resolve(connection), ...handler },
    { pattern: '/other', onConnect: (connection) => opened.resolve(connection) },
  ])
  const another = async (at = path) => {
    opened = signal()
    const client = await connect(server.url(at))
    return { client, connection: await opened.promise }
  }
  return { ...(await another()), another }
}

test('it knows its request', async () => {
  const { connection } = await open('/api/room/a%20b?x=1', { subprotocols: ['v1'] })
  expect(connection.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(connection.path).toBe('/api/room/a%20b')
  expect(connection.req.url).toBe('/api/room/a%20b?x=1')
  expect(connection.req.params).toEqual({ name: 'a%20b' })
  expect(connection.req.socket.remoteAddress).toBe('127.0.0.1')
  expect(connection.subprotocol).toBeUndefined()
  expect(connection.authData).toBeUndefined()
  expect(connection.metadata).toEqual({})
  expect(connection.closed).toBe(false)
})

test('what is sent as what', async () => {
  const { connection, client } = await open()
  for (const value of ['text', 5, null, true, { a: 'ü' }, [1]]) await connection.send(value)
  await connection.send(undefined)
  await connection.send(() => {})
  await connection.send(Buffer.from([1, 2]))
  await connection.send(new Uint8Array([3, 4]))
  await connection.send(new Uint16Array([0x0605]))
  await connection.send(new Uint8Array([7, 8]).buffer)
  await connection.send('')
  const received = []
  for (let count = 0; count < 11; count++) received.push(await client.next())
  expect(received).toEqual([
    ...['text', '5', 'null', 'true', '{"a":"ü"}', '[1]'],
    ...[Buffer.from([1, 2]), Buffer.from([3, 4]), Buffer.from([5, 6]), Buffer.from([7, 8])],
    '',
  ])
})

test('long text, broken surrogates included, arrives as UTF-8', async () => {
  const { connection, client } = await open()
  const long = 'aé€😀'.repeat(50_000)
  connection.send(long)
  expect(await client.next()).toBe(long)
  connection.send('a\ud800b')
  expect(await client.next()).toBe('a\ufffdb')
})

test('rooms are a live set', async () => {
  const { connection } = await open('/api/room/a', { defaultRoom: 'lobby' })
  const { rooms } = connection
  expect(rooms).toBeInstanceOf(Set)
  expect([...rooms]).toEqual(['lobby'])
  connection.joinRoom('x')
  connection.joinRoom('x')
  expect([...rooms]).toEqual(['lobby', 'x'])
  expect(rooms.size).toBe(2)
  expect(rooms.has('x')).toBe(true)
  rooms.add('y')
  expect(connection.getRooms()).toEqual(['lobby', 'x', 'y'])
  expect(rooms.delete('x')).toBe(true)
  expect(connection.isInRoom('x')).toBe(false)
  expect([...rooms.keys(), ...new Set(rooms)]).toEqual(['lobby', 'y', 'lobby', 'y'])
  rooms.clear()
  expect(connection.getRooms()).toEqual([])
  expect(() => connection.joinRoom('r'.repeat(257))).toThrow(RangeError)
})

test('a log shows what it is', async () => {
  const { connection } = await open()
  connection.joinRoom('lobby')
  connection.metadata.user = 'ada'
  const shown = { id: connection.id, path: '/api/room/a', closed: false, metadata: { user: 'ada' }, rooms: ['lobby'] }
  expect(JSON.parse(JSON.stringify(connection))).toEqual(shown)
  expect(inspect(connection)).toMatch(/^WebSocketConnection \{.*rooms: \[ 'lobby' \]/s)
})

test('who hears a broadcast', async () => {
  const { connection: a, client: clientA, another } = await open()
  const { connection: b, client: clientB } = await another()
  const { connection: c, client: clientC } = await another()
  a.joinRoom('ab')
  b.joinRoom('ab')
  b.joinRoom('bc')
  c.joinRoom('bc')

  a.broadcast('everyone else')
  a.broadcast('everyone', { includeSelf: true })
  a.broadcast('room', { room: 'bc' })
  a.broadcast('rooms', { rooms: ['ab', 'bc', 'none'], includeSelf: true })
  a.broadcast('both', { room: 'ab', rooms: ['bc'] })
  a.broadcast('nobody', { rooms: [] })
  a.broadcast(undefined)
  b.broadcastAllRooms('my rooms')
  c.leaveRoom('bc')
  c.broadcastAllRooms('without rooms', true)
  for (const connection of [a, b, c]) connection.send('end')

  const heard = async (client: typeof clientA) => {
    const messages = []
    for (let message; (message = await client.next()) !== 'end'; ) messages.push(message)
    return messages
  }
  expect(await heard(clientA)).toEqual(['everyone', 'rooms', 'my rooms', 'without rooms'])
  expect(await heard(clientB)).toEqual(['everyone else', 'everyone', 'room', 'rooms', 'both', 'without rooms'])
  expect(await heard(clientC)).toEqual(['everyone else', 'everyone', 'room', 'rooms', 'both', 'my rooms', 'without rooms'])
})

test('handlers do not hear each other', async () => {
  const { connection, another } = await open()
  const other = await (another as (path: string) => ReturnType<typeof another>)('/api/other')
  connection.broadcast('x', { includeSelf: true })
  other.connection.send('end')
  expect(await other.client.next()).toBe('end')
})

test('a handler object keeps its this', async () => {
  class Named {
    pattern = '/named'
    onMessage(connection: WebSocketConnection) {
      connection.send(this.pattern)
    }
  }
  const server = await serve(new Named())
  const client = await connect(server.url('/api/named'))
  client.send('')
  expect(await client.next()).toBe('/named')
})
