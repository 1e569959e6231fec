/** A route from outside of its callbacks: `switchboard.route(pattern)`. */

import { expect, test } from 'vitest'
import { createSwitchboard, type Route, switchboard as plugin, type WebSocketConnection } from 'vite-plugin-switchboard'

import { type Client, connect } from './support/client.js'
import { collect, serve, serveVite } from './support/server.js'

async function open(): Promise<{ route: Route; clients: Client[]; server: Awaited<ReturnType<typeof serve>> }> {
  const server = await serve(
    [
      {
        pattern: '/chat',
        onConnect: (connection) => {
          connection.metadata.seen = true
          if (connection.req.url!.includes('lobby')) connection.joinRoom('lobby')
          connection.send('welcome')
        },
      },
      { pattern: '/other', onConnect: (connection) => connection.send('welcome') },
    ],
    { routes: [{ pattern: '/ws', dialect: 'actions' }], feeds: [{ name: 'killmails' }] },
  )
  const clients: Client[] = []
  for (const path of ['/api/chat', '/api/chat?lobby', '/api/chat?lobby', '/api/other']) {
    const client = await connect(server.url(path))
    expect(await client.next()).toBe('welcome')
    clients.push(client)
  }
  return { route: server.switchboard.route('/chat'), clients, server }
}

test('it sends to a route and to a room, and to nobody else', async () => {
  const { route, clients, server } = await open()
  expect(route.send({ to: 'all' })).toBe(3)
  expect(route.room('lobby').send('in the lobby')).toBe(2)
  expect(route.room('nowhere').send('nobody')).toBe(0)
  expect(route.send(undefined)).toBe(0)
  expect(route.send(Buffer.from([1, 2]))).toBe(3)
  expect(server.switchboard.route('/api/other').send('other')).toBe(1)
  expect([await clients[0]!.next(), await clients[0]!.next()]).toEqual(['{"to":"all"}', Buffer.from([1, 2])])
  for (const client of clients.slice(1, 3)) {
    expect([await client.next(), await client.next(), await client.next()]).toEqual(['{"to":"all"}', 'in the lobby', Buffer.from([1, 2])])
  }
  expect(await clients[3]!.next()).toBe('other')
  expect(clients.flatMap(({ rest }) => rest)).toEqual([])
})

test('it counts, lists and finds', async () => {
  const { route, clients, server } = await open()
  const room = route.room('lobby')
  expect([route.pattern, room.name, route.rooms()]).toEqual(['/chat', 'lobby', ['lobby']])
  expect([route.count(), room.count(), route.room('nowhere').count()]).toEqual([3, 2, 0])
  const connections = route.connections()
  expect(connections.map(({ req }) => req.url)).toEqual(['/api/chat', '/api/chat?lobby', '/api/chat?lobby'])
  expect(room.connections()).toEqual(connections.slice(1))
  const found = route.connection(connections[1]!.id)!
  expect(found).toBe(connections[1])
  expect(found.metadata.seen).toBe(true)
  expect(server.switchboard.route('/other').connection(found.id)).toBeUndefined()
  expect(route.connection('nobody')).toBeUndefined()
  found.send('to you')
  expect(await clients[1]!.next()).toBe('to you')
  await clients[1]!.close()
  while (room.count() !== 1) await new Promise((resolve) => setImmediate(resolve))
  expect([route.count(), route.connection(found.id)]).toEqual([2, undefined])
})

test('it closes a room, and then all', async () => {
  const { route, clients } = await open()
  expect(() => route.close(1006)).toThrow(RangeError)
  expect(() => route.room('lobby').close(70_000)).toThrow(RangeError)
  expect(route.count()).toBe(3)
  expect(route.room('lobby').close(4001, 'lobby is closed')).toBe(2)
  expect([route.count(), route.close()]).toEqual([1, 1])
  expect(await clients[1]!.ended).toEqual({ code: 4001, reason: 'lobby is closed' })
  expect(await clients[2]!.ended).toEqual({ code: 4001, reason: 'lobby is closed' })
  expect(await clients[0]!.ended).toEqual({ code: 1000, reason: '' })
  expect(clients[3]!.socket.readyState).toBe(clients[3]!.socket.OPEN)
})

test('it reaches clients of a route without functions, and its dialect', async () => {
  const { server } = await open()
  const route = server.switchboard.route('/ws')
  const client = await connect(server.url('/ws'))
  expect(route.connections().map(({ path }) => path)).toEqual(['/ws'])
  client.send({ action: 'sub', channel: 'kills' })
  client.socket.ping()
  await new Promise((resolve) => client.socket.once('pong', resolve))
  route.send('as it is')
  route.command('publish', { channel: 'kills', message: { id: 1 } })
  expect(await client.next()).toBe('as it is')
  expect(await client.json()).toMatchObject({ id: 1 })
  expect(() => route.command('nonsense', {})).toThrow()
})

test('callbacks of a closed route run as ever, and may use it themselves', async () => {
  const said: string[] = []
  const server = await serve({
    pattern: '/chat',
    onMessage: (connection: WebSocketConnection, message: unknown) => {
      said.push(`${connection.id === route.connections()[0]!.id} ${route.send(message)}`)
    },
    onClose: (_, code) => void said.push(`${code} ${route.count()}`),
  })
  const route = server.switchboard.route('/api/chat')
  const client = await connect(server.url('/api/chat'))
  client.send('echo')
  expect(await client.next()).toBe('echo')
  route.close(4000)
  await client.ended
  while (said.length < 2) await new Promise((resolve) => setImmediate(resolve))
  expect(said).toEqual(['true 1', '4000 0'])
})

test('a route that there is not throws, and says which there are', async () => {
  const { server } = await open()
  expect(() => server.switchboard.route('/chatt')).toThrow('there is no route /chatt; there are /api/chat, /api/other, /ws')
  expect(() => server.switchboard.command('/chatt', 'x', {})).toThrow('there is no route /chatt')
  expect(() => server.switchboard.route(undefined as never)).toThrow(TypeError)
  expect(() => server.switchboard.route('/chat').room(null as never)).toThrow(TypeError)
  expect(() => server.switchboard.route('/chat').connection(undefined as never)).toThrow(TypeError)
  expect(() => server.switchboard.route('/chat').close('x' as never)).toThrow(TypeError)
})

test('where everything is switched off, nobody is on any route', () => {
  const route = createSwitchboard({ disable: true, wsHandlers: [{ pattern: '/chat' }] }).route('/chat')
  expect([route.send('x'), route.count(), route.close(), route.room('r').send('x')]).toEqual([0, 0, 0, 0])
  expect([route.connections(), route.rooms(), route.connection('x')]).toEqual([[], [], undefined])
})

test('in Vite it may be asked for before the server runs', async () => {
  const one = plugin({ wsHandlers: [{ pattern: '/chat' }], logger: collect([]) } as never)
  const route = one.api.route('/chat')
  expect([route.send('x'), route.count()]).toEqual([0, 0])
  const server = await serveVite({}, { plugins: [one] })
  const client = await connect(server.url('/api/chat'))
  expect(route.send('hello')).toBe(1)
  expect(await client.next()).toBe('hello')
  expect(() => one.api.route('/nowhere')).toThrow('there is no route /nowhere; there is /api/chat')
  await server.stop()
  expect([route.send('x'), route.count()]).toEqual([0, 0])
})

test('no two servers keep their rooms in the same order, as nobody may foresee how names are hashed', async () => {
  const names = Array.from({ length: 40 }, (_, index) => `room ${index}`)
  const orders: string[] = []
  for (let count = 0; count < 2; count++) {
    const handler = { pattern: '/', onConnect: (connection: WebSocketConnection) => names.forEach((name) => connection.joinRoom(name)) }
    const server = await serve([handler])
    await connect(server.url('/api/'))
    const rooms = () => server.switchboard.route('/').rooms().filter((room) => room.startsWith('room '))
    await expect.poll(() => rooms().length).toBe(names.length)
    orders.push(rooms().join())
  }
  expect(orders[0]).not.toBe(orders[1])
})
