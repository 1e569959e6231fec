/**
 * What users' code may pass where an argument is optional, or easily something else than expected. It does what
 * vite-plugin-universal-api does, or throws a `TypeError` that says what to write.
 */

import { createServer } from 'node:http'

import { expect, test } from 'vitest'
import {
  attach,
  type ChannelSocket,
  createSwitchboard,
  switchboard as plugin,
  type SwitchboardOptions,
  type WebSocketConnection,
  type WebSocketHandler,
} from 'vite-plugin-switchboard'

import { type Client, connect, refusal } from './support/client.js'
import { atEnd, collect, serve, serveVite, signal } from './support/server.js'

type Call = (connection: any) => unknown

/** Two clients in no room, two in `lobby`; the first of either pair is the one whose connection is called. */
async function openFour(): Promise<{ connections: WebSocketConnection[]; clients: Client[] }> {
  const connections: WebSocketConnection[] = []
  const server = await serve({ pattern: '/', onConnect: (connection) => void connections.push(connection) })
  const clients: Client[] = []
  for (let count = 1; count <= 4; count++) {
    clients.push(await connect(server.url('/api/')))
    while (connections.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
  for (const connection of connections.slice(2)) connection.joinRoom('lobby')
  return { connections, clients }
}

/** Which clients hear something before the end. */
async function hearers({ connections, clients }: Awaited<ReturnType<typeof openFour>>): Promise<number[]> {
  for (const connection of connections) connection.send('end')
  const heard: number[] = []
  for (const [index, client] of clients.entries()) {
    while ((await client.next()) !== 'end') heard.push(index)
  }
  return heard
}

const OTHERS = [0, 1, 3]
const EVERYONE = [0, 1, 2, 3]

/** The third client speaks; who hears it. */
const broadcasts: [string, Call, number[]][] = [
  ["broadcast('x')", (c) => c.broadcast('x'), OTHERS],
  ["broadcast('x', undefined)", (c) => c.broadcast('x', undefined), OTHERS],
  ["broadcast('x', null)", (c) => c.broadcast('x', null), OTHERS],
  ["broadcast('x', false)", (c) => c.broadcast('x', false), OTHERS],
  ["broadcast('x', {})", (c) => c.broadcast('x', {}), OTHERS],
  ['{ room: undefined }', (c) => c.broadcast('x', { room: undefined }), OTHERS],
  ['{ room: null }', (c) => c.broadcast('x', { room: null }), OTHERS],
  ["{ room: '' }", (c) => c.broadcast('x', { room: '' }), OTHERS],
  ['{ room: NaN }', (c) => c.broadcast('x', { room: Number.NaN }), OTHERS],
  ["{ room: 'lobby' }", (c) => c.broadcast('x', { room: 'lobby' }), [3]],
  ["{ room: 'lobby', includeSelf: true }", (c) => c.broadcast('x', { room: 'lobby', includeSelf: true }), [2, 3]],
  ['{ rooms: undefined }', (c) => c.broadcast('x', { rooms: undefined }), OTHERS],
  ['{ rooms: null }', (c) => c.broadcast('x', { rooms: null }), OTHERS],
  ['{ rooms: [] }', (c) => c.broadcast('x', { rooms: [] }), []],
  ["{ rooms: ['lobby'] }", (c) => c.broadcast('x', { rooms: ['lobby'] }), [3]],
  ["{ rooms: new Set(['lobby']) }", (c) => c.broadcast('x', { rooms: new Set(['lobby']) }), [3]],
  ["{ room: null, rooms: ['lobby'] }", (c) => c.broadcast('x', { room: null, rooms: ['lobby'] }), [3]],
  ["{ room: 'lobby', rooms: null }", (c) => c.broadcast('x', { room: 'lobby', rooms: null }), [3]],
  ['{ includeSelf: null }', (c) => c.broadcast('x', { includeSelf: null }), OTHERS],
  ['{ includeSelf: 0 }', (c) => c.broadcast('x', { includeSelf: 0 }), OTHERS],
  ['{ includeSelf: 1 }', (c) => c.broadcast('x', { includeSelf: 1 }), EVERYONE],
  ['a room that is a number', (c) => (c.joinRoom(7), c.broadcast('x', { room: 7, includeSelf: true })), [2]],
  ["broadcastAllRooms('x')", (c) => c.broadcastAllRooms('x'), [3]],
  ["broadcastAllRooms('x', null)", (c) => c.broadcastAllRooms('x', null), [3]],
  ["broadcastAllRooms('x', true)", (c) => c.broadcastAllRooms('x', true), [2, 3]],
  ['broadcast()', (c) => c.broadcast(), []],
  ['broadcastAllRooms()', (c) => c.broadcastAllRooms(), []],
  ['leaveRoom(undefined)', (c) => c.leaveRoom(undefined), []],
  ['leaveRoom({})', (c) => c.leaveRoom({}), []],
]

test.each(broadcasts)('%s', async (_, call, expected) => {
  const four = await openFour()
  call(four.connections[2])
  expect(four.connections[2]!.isInRoom('lobby')).toBe(true)
  expect(await hearers(four)).toEqual(expected)
})

/** The name is what to pass; the message begins with the rest. */
const mistakes: [string, Call, string][] = [
  ["broadcast('x', 'lobby')", (c) => c.broadcast('x', 'lobby'), "broadcast: expected options such as { room: 'lobby' }, got text"],
  ["broadcast('x', ['lobby'])", (c) => c.broadcast('x', ['lobby']), 'broadcast: expected options such as'],
  ["broadcast('x', true)", (c) => c.broadcast('x', true), 'broadcast: expected options such as'],
  ["{ room: ['a', 'b'] }", (c) => c.broadcast('x', { room: ['a', 'b'] }), "broadcast: room (for several write rooms: ['a', 'b']): expected text, got a list"],
  ['{ room: {} }', (c) => c.broadcast('x', { room: {} }), 'broadcast: room'],
  ['{ room: true }', (c) => c.broadcast('x', { room: true }), 'broadcast: room'],
  ["{ rooms: 'lobby' }", (c) => c.broadcast('x', { rooms: 'lobby' }), "broadcast: rooms: expected a list such as ['lobby'], got text"],
  ['{ rooms: 1 }', (c) => c.broadcast('x', { rooms: 1 }), 'broadcast: rooms: expected a list'],
  ['{ rooms: {} }', (c) => c.broadcast('x', { rooms: {} }), 'broadcast: rooms: expected a list'],
  ['{ rooms: [undefined] }', (c) => c.broadcast('x', { rooms: [undefined] }), 'broadcast: rooms: expected text, got undefined'],
  ["{ includeSelf: 'no' }", (c) => c.broadcast('x', { includeSelf: 'no' }), 'broadcast: includeSelf: expected true or false, got text'],
  ['broadcastAllRooms with options', (c) => c.broadcastAllRooms('x', { includeSelf: false }), 'broadcastAllRooms: includeSelf: expected true or false, got an object with the key includeSelf'],
  ['joinRoom()', (c) => c.joinRoom(), 'joinRoom: expected text, got undefined'],
  ['joinRoom(null)', (c) => c.joinRoom(null), 'joinRoom: expected text, got null'],
  ['joinRoom(NaN)', (c) => c.joinRoom(Number.NaN), 'joinRoom: expected text, got NaN'],
  ['joinRoom({ secret })', (c) => c.joinRoom({ secret: 'hunter2' }), 'joinRoom: expected text, got an object with the key secret'],
  ['rooms.add(undefined)', (c) => c.rooms.add(undefined), 'joinRoom: expected text'],
  ['ping({})', (c) => c.ping({}), 'ping: expected text or bytes, got an object without keys'],
  ['pong(true)', (c) => c.pong(true), 'pong: expected text or bytes, got true'],
  ['startHeartbeat()', (c) => c.startHeartbeat(), 'startHeartbeat: expected a time in ms, got undefined; for none call stopHeartbeat()'],
  ['startHeartbeat(null)', (c) => c.startHeartbeat(null), 'startHeartbeat: expected a time in ms'],
  ['startHeartbeat(NaN)', (c) => c.startHeartbeat(Number.NaN), 'startHeartbeat: expected a time in ms, got NaN'],
  ['startHeartbeat(Infinity)', (c) => c.startHeartbeat(Infinity), 'startHeartbeat: expected a time in ms, got Infinity'],
  ["startHeartbeat('1000')", (c) => c.startHeartbeat('1000'), 'startHeartbeat: expected a time in ms, got text'],
  ['startInactivityTimeout(false)', (c) => c.startInactivityTimeout(false), 'startInactivityTimeout: expected a time in ms'],
  ['resetInactivityTimer()', (c) => c.resetInactivityTimer(), 'startInactivityTimeout: expected a time in ms'],
]

test.each(mistakes)('%s is a mistake', async (_, call, message) => {
  const four = await openFour()
  const thrown = catching(() => call(four.connections[2]))
  expect(thrown).toBeInstanceOf(TypeError)
  expect((thrown as Error).message).toContain(message)
  expect((thrown as Error).message).not.toContain('hunter2')
  expect(await hearers(four)).toEqual([])
})

function catching(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

test('pings and pongs without a payload are empty', async () => {
  const { connections, clients } = await openFour()
  const seen: string[] = []
  const done = signal()
  clients[0]!.socket.on('ping', (data) => seen.push(data.toString()))
  clients[0]!.socket.on('pong', (data) => (data.toString() === 'end' ? done.resolve() : seen.push(data.toString())))
  const connection = connections[0] as any
  for (const payload of [undefined, null, '', false, 0, 'a', Buffer.from('b'), new Uint8Array([99]).buffer]) {
    connection.ping(payload)
    connection.pong(payload)
  }
  connection.pong('end')
  await done.promise
  expect(seen).toEqual(['', '', '', '', '', '', '', '', '0', '0', 'a', 'a', 'b', 'b', 'c', 'c'])
})

test.each<[string, unknown[], string]>([
  ["close('4000')", ['4000'], 'close: expected a close code such as 1000, got text'],
  ['close(null)', [null], 'close: expected a close code such as 1000, got null'],
  ['close({})', [{}], 'close: expected a close code'],
  ['close(1000, null)', [1000, null], 'close: expected a reason as text, got null'],
  ['close(1000, 5)', [1000, 5], 'close: expected a reason as text, got 5'],
])('%s rejects and leaves the connection open', async (_, given, message) => {
  const { connections } = await openFour()
  const rejected = (connections[0] as any).close(...given)
  await expect(rejected).rejects.toThrow(TypeError)
  await expect(rejected).rejects.toThrow(message)
  expect(connections[0]!.closed).toBe(false)
})

test('close(undefined, undefined) and a reason as bytes', async () => {
  const { connections, clients } = await openFour()
  connections[0]!.close(undefined, undefined)
  expect(await clients[0]!.ended).toEqual({ code: 1000, reason: '' })
  ;(connections[1] as any).close(4000, Buffer.from('bye'))
  expect(await clients[1]!.ended).toEqual({ code: 4000, reason: 'bye' })
})

test.each<[string, unknown, 'sender' | 'room' | 'others']>([
  ['null', null, 'sender'],
  ['{ room: null }', { room: null }, 'others'],
  ["{ room: '' }", { room: '' }, 'others'],
  ["{ room: 'lobby' }", { room: 'lobby' }, 'room'],
])('a response with broadcast: %s', async (_, broadcast, who) => {
  for (const match of [() => true, {}]) {
    const handler = { responses: [{ match, response: 'x', broadcast }] } as Partial<WebSocketHandler>
    const connections: WebSocketConnection[] = []
    const joins = { pattern: '/', onConnect: (connection: WebSocketConnection) => void connections.push(connection) }
    const server = await serve({ ...joins, ...handler } as WebSocketHandler)
    const clients = [await connect(server.url('/api/')), await connect(server.url('/api/')), await connect(server.url('/api/'))]
    while (connections.length < 3) await new Promise((resolve) => setImmediate(resolve))
    connections[0]!.joinRoom('lobby')
    connections[1]!.joinRoom('lobby')
    clients[0]!.send('go')
    clients[0]!.socket.ping()
    await new Promise((resolve) => clients[0]!.socket.once('pong', resolve))
    const heard = await hearers({ connections, clients })
    expect(heard).toEqual({ sender: [0], room: [1], others: [1, 2] }[who])
  }
})

const channelCalls: [string, (socket: any) => unknown, string | undefined][] = [
  ['push()', (s) => s.push(), 'push: event: expected text, got undefined'],
  ['broadcast(null)', (s) => s.broadcast(null), 'broadcast: event: expected text, got null'],
  ['broadcastFrom({})', (s) => s.broadcastFrom({}), 'broadcastFrom: event: expected text'],
  ['reply()', (s) => s.reply(), 'reply: expected the ref of a message, as socket.ref had it, got undefined'],
  ["reply('1')", (s) => s.reply('1'), 'reply: expected { ok: … } or { error: … }, got undefined'],
  ["reply('1', { stop: true })", (s) => s.reply('1', { stop: true }), 'reply: expected { ok: … } or { error: … }'],
  ['track()', (s) => s.track(), 'track: key: expected text, got undefined'],
  ["track('a', 'away')", (s) => s.track('a', 'away'), 'track: meta: expected options such as'],
  ['untrack({})', (s) => s.untrack({}), 'untrack: key: expected text'],
  ["stop('error')", (s) => s.stop('error'), 'stop: expected options such as { error: true }, got text'],
  ["stop({ error: 'no' })", (s) => s.stop({ error: 'no' }), 'stop: error: expected true or false'],
  ["push('e', null)", (s) => s.push('e', null), undefined],
  ["track('a', null)", (s) => s.track('a', null), undefined],
  ['untrack(null)', (s) => s.untrack(null), undefined],
  ['stop(null)', (s) => s.stop(null), undefined],
]

test.each(channelCalls)('of a channel: %s', async (_, call, message) => {
  const joined = signal<ChannelSocket>()
  const phoenix = { channels: [{ topic: 'room', join: (_: unknown, socket: ChannelSocket) => joined.resolve(socket), handleIn: null, leave: null }] }
  const server = await serve([], { routes: [{ pattern: '/socket/websocket', dialect: 'phoenix', phoenix: phoenix as never }] })
  const client = await connect(server.url('/socket/websocket?vsn=2.0.0'))
  client.send(['1', '1', 'room', 'phx_join', {}])
  await client.next()
  const socket = await joined.promise
  const error = catching(() => call(socket)) as Error | undefined
  if (message === undefined) return expect(error).toBeUndefined()
  expect(error).toBeInstanceOf(TypeError)
  expect(error!.message).toContain(message)
  expect(server.lines).toEqual([])
})

test.each<[string, (switchboard: any) => unknown, string]>([
  ['publish()', (s) => s.publish(), 'publish: feed: expected text, got undefined'],
  ["publish('kills')", (s) => s.publish('kills'), 'publish: expected a value that JSON has, got undefined'],
  ["publish('kills', () => 1)", (s) => s.publish('kills', () => 1), 'publish: expected a value that JSON has, got a function'],
  ['command()', (s) => s.command(), 'command: pattern: expected text, got undefined'],
  ["command('/')", (s) => s.command('/'), 'command: name: expected text, got undefined'],
])('of a server: %s is a mistake', async (_, call, message) => {
  const { switchboard } = await serve([], { feeds: [{ name: 'killmails' }], routes: [{ pattern: '/', dialect: 'actions' }] })
  const error = catching(() => call(switchboard)) as Error
  expect(error).toBeInstanceOf(TypeError)
  expect(error.message).toContain(message)
})

test.each<[string, unknown, ErrorConstructor, string]>([
  ["close('now')", 'now', TypeError, 'close: expected options such as { code: 1001 }, got text'],
  ["close({ code: '1001' })", { code: '1001' }, TypeError, 'close: code: expected a close code such as 1000, got text'],
  ['close({ code: 1006 })', { code: 1006 }, RangeError, '1006'],
  ['close({ code: 70000 })', { code: 70_000 }, RangeError, '70000'],
  ['close({ code: NaN })', { code: Number.NaN }, RangeError, 'NaN'],
  ['close({ reason: 5 })', { reason: 5 }, TypeError, 'close: reason: expected a reason as text, got 5'],
  ["close({ grace: '1' })", { grace: '1' }, TypeError, 'close: grace: expected a time in ms, got text'],
  ['close({ grace: -1 })', { grace: -1 }, RangeError, 'close: grace: a time cannot be -1 ms'],
])('of a server: %s rejects and closes nothing', async (_, given, type, message) => {
  const { switchboard, url } = await serve({ pattern: '/' })
  const rejected = switchboard.close(given as never)
  await expect(rejected).rejects.toThrow(type)
  await expect(rejected).rejects.toThrow(message)
  await connect(url('/api/'))
})

test.each([[undefined], [null], [{ code: null, reason: null, grace: null }]])('of a server: close(%o) says 1001', async (given) => {
  const { switchboard, url } = await serve({ pattern: '/' })
  const client = await connect(url('/api/'))
  await switchboard.close(given as never)
  expect(await client.ended).toEqual({ code: 1001, reason: '' })
})

test.each<[string, () => unknown, string]>([
  ['createSwitchboard()', () => (createSwitchboard as any)(), 'createSwitchboard: expected options such as { routes: [] }, got undefined'],
  ["createSwitchboard('x')", () => (createSwitchboard as any)('x'), 'createSwitchboard: expected options'],
  ['attach(server)', () => (attach as any)(createServer()), 'attach: expected options such as { routes: [] }, got undefined'],
  ['attach({ routes: [] })', () => (attach as any)({ routes: [] }), 'attach: expected a server as createServer() of node:http makes it, got an object with the key routes'],
  ['attach(null, {})', () => (attach as any)(null, {}), 'attach: expected a server'],
  ["switchboard('x')", () => (plugin as any)('x'), 'switchboard: expected options such as'],
  ['an endpointPrefix that is an object', () => createSwitchboard({ endpointPrefix: {} as never, wsHandlers: [] }), 'endpointPrefix: expected text, got an object'],
  ['a logger without functions', () => createSwitchboard({ logger: {} as never, wsHandlers: [] }), 'logger: expected functions info, warn and error'],
])('%s is a mistake', (_, call, message) => {
  const error = catching(call) as Error
  expect(error).toBeInstanceOf(TypeError)
  expect(error.message).toContain(message)
})

test('options that are null are not there', async () => {
  const keys = ['delay', 'origins', 'allowedHosts', 'feeds', 'limits', 'shutdownGrace', 'logLevel', 'config', 'environment', 'enableWs', 'endpointPrefix', 'routes', 'disable']
  const options = Object.fromEntries(keys.map((key) => [key, null])) as SwitchboardOptions
  const handlerKeys = [
    ...['disabled', 'delay', 'origins', 'parse', 'subprotocols', 'heartbeat', 'inactivityTimeout', 'defaultRoom', 'compression'],
    ...['perMessageDeflate', 'maxPayload', 'outbound', 'responses', 'onConnect', 'onPing', 'onPong', 'onClose', 'onError', 'transformRawData'],
  ]
  const handler = {
    pattern: '/',
    ...Object.fromEntries(handlerKeys.map((key) => [key, null])),
    onMessage: (connection: WebSocketConnection, message: unknown) => connection.send(message),
  } as never
  const server = await serve(handler, options)
  const client = await connect(server.url('/api/'))
  client.send({ a: 1 })
  expect(await client.json()).toEqual({ a: 1 })
  const vite = await serveVite({ ...options, wsHandlers: [handler] } as never)
  await connect(vite.url('/api/'))
  expect((plugin as (options: null) => { name: string })(null).name).toBe('vite-plugin-switchboard')
})

test('a logger that is null is the console, and logLevel has to be one', () => {
  createSwitchboard({ wsHandlers: [], logger: null } as never)
  expect(() => createSwitchboard({ wsHandlers: [], logLevel: 'loud' } as never)).toThrow(
    '[switchboard] logLevel: expected one of silent, error, warn, info, debug, got loud',
  )
})

test.each([[null], [Number.NaN], [0], [''], [Symbol('x')]])('authenticate: %s does not let everyone in', async (authenticate) => {
  const start = () => createSwitchboard({ wsHandlers: [{ pattern: '/', authenticate: authenticate as never }], logger: collect([]) })
  expect(start).toThrow(/wsHandlers\[0\]\.authenticate/)
})

test('upgrade without a head takes a request', async () => {
  const server = createServer()
  const switchboard = createSwitchboard({ wsHandlers: [{ pattern: '/' }], logger: collect([]) })
  server.on('upgrade', (request, socket) => void switchboard.upgrade(request, socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => server.close())
  const { port } = server.address() as { port: number }
  await connect(`ws://127.0.0.1:${port}/api/`)
  expect(await refusal(`ws://127.0.0.1:${port}/api/nowhere`)).toBe(404)
})
