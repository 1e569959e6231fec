/** `vite-plugin-switchboard/testing`: servers for tests. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { defineHandler } from 'vite-plugin-switchboard'
import { serve as start, type ServeOptions, type Serves, type TestServer } from 'vite-plugin-switchboard/testing'

import { type Client, connect, dial, refusal } from '../support/client.js'
import { atEnd, folder } from '../support/server.js'

const SHORT = { timeout: 50 }

/** One that is closed after the test. */
async function serve(what?: Serves, options?: ServeOptions): Promise<TestServer> {
  const server = await start(what, options)
  atEnd(() => server.close())
  return server
}

/** A client, and how its server sees it. */
async function pair(server: TestServer, path = '/chat'): Promise<[Client, Awaited<ReturnType<TestServer['connection']>>]> {
  const client = await connect(server.url(path))
  return [client, await server.connection()]
}

test('with nothing it accepts everyone, and notes what clients send', async () => {
  const server = await serve()
  const [client, connection] = await pair(server, '/any/path?token=1')
  expect([connection.path, connection.url, connection.isOpen]).toEqual(['/any/path', '/any/path?token=1', true])
  client.send({ type: 'join' })
  client.send('plain')
  client.send(Buffer.from([1, 2]))
  expect(await connection.next()).toEqual({ type: 'join' })
  expect(await connection.next(Buffer.from([1, 2]))).toEqual(Buffer.from([1, 2]))
  // What did not match is still to be read.
  expect(await server.next()).toBe('plain')
  expect(server.received).toEqual([{ type: 'join' }, 'plain', Buffer.from([1, 2])])
  connection.send({ type: 'welcome' })
  expect(await client.json()).toEqual({ type: 'welcome' })
  expect(connection.sent).toEqual([{ type: 'welcome' }])
  connection.terminate()
  expect(server.connections).toEqual([])
  expect(await client.ended).toEqual({ code: 1006, reason: '' })
  expect(await connection.ended()).toEqual({ code: 1006, reason: '', by: undefined })
})

test('messages are seen whatever serves them, compressed or in pieces', async () => {
  const server = await serve([{ pattern: '/echo', dialect: 'echo', compression: { enabled: true, threshold: 0 } }])
  const client = await connect(server.url('/echo'), { perMessageDeflate: { threshold: 0 } })
  const connection = await server.connection()
  for (let count = 0; count < 3; count++) {
    client.send({ count, text: 'again and again '.repeat(50) })
    expect(await connection.next()).toMatchObject({ count })
    expect(await client.json()).toMatchObject({ count })
  }
  client.socket.send('{"a":', { fin: false, compress: true })
  client.socket.send('1}', { fin: true, compress: true })
  expect(await connection.next()).toEqual({ a: 1 })
  await client.json()
  expect(connection.sent.at(-1)).toEqual({ a: 1 })
})

test('what comes compressed right before the end is read, and the close frame behind it', async () => {
  const server = await serve([{ pattern: '/echo', dialect: 'echo', compression: { enabled: true, threshold: 0 } }])
  for (let count = 0; count < 20; count++) {
    const client = await connect(server.url('/echo'), { perMessageDeflate: { threshold: 0 } })
    const connection = await server.connection()
    client.send({ count, text: 'x'.repeat(200_000) })
    client.socket.close(3000 + count)
    expect(await connection.ended()).toMatchObject({ code: 3000 + count, by: 'client' })
    expect(connection.received).toMatchObject([{ count }])
  }
})

test('handlers are for whole paths, and below a prefix only where one is given', async () => {
  const chat = defineHandler({
    pattern: '/chat/{room}',
    onConnect: (connection, { params }) => connection.joinRoom(params.room),
    onMessage: (connection, message) => connection.broadcast(message, { rooms: connection.getRooms(), includeSelf: true }),
  })
  const server = await serve(chat)
  const [client, connection] = await pair(server, '/chat/general')
  expect(connection.connection.getRooms()).toEqual(['general'])
  client.send('hello')
  expect(await client.next()).toBe('hello')
  const below = await serve(chat, { endpointPrefix: '/api' })
  expect(await refusal(below.url('/chat/general'))).toBe(404)
  await connect(below.url('/api/chat/general'))
  expect(below.refusals).toEqual([{ path: '/chat/general', status: 404 }])
  // One without a pattern is for all paths.
  const all = await serve({ onMessage: (connection) => connection.send('yes') })
  const [other] = await pair(all, '/wherever')
  other.send('?')
  expect(await other.next()).toBe('yes')
})

test('it serves configuration files, handler files and modules', async () => {
  const root = folder()
  const config = join(root, 'switchboard.toml')
  writeFileSync(config, '[[routes]]\npattern = "/echo"\ndialect = "echo"\n')
  const [client] = await pair(await serve(config), '/echo')
  client.send('configured')
  expect(await client.next()).toBe('configured')
  writeFileSync(join(root, 'typed.ts'), 'const answer: string = "from a file"\nexport default { pattern: "/file", onMessage: (connection: any) => connection.send(answer) }\n')
  const before = process.cwd()
  process.chdir(root)
  try {
    const [other] = await pair(await serve('*.ts'), '/file')
    other.send('?')
    expect(await other.next()).toBe('from a file')
    await expect(serve('nowhere/*.ts')).rejects.toThrow('no handler file matches nowhere/*.ts below')
  } finally {
    process.chdir(before)
  }
  const module = Object.defineProperty({ default: { pattern: '/module' }, other: 1 }, Symbol.toStringTag, { value: 'Module' })
  await pair(await serve(module), '/module')
})

test('a mistake says what is wrong', async () => {
  await expect(serve({ pattern: '/a', heartbaet: 5 } as Serves)).rejects.toThrow('did you mean "heartbeat"?')
  await expect(serve({ clock: 'never' as 'manual' })).rejects.toThrow("clock: expected 'real' or 'manual'")
  await expect(serve(5 as unknown as Serves)).rejects.toThrow('serve: expected handlers, a file or options, got 5')
  const server = await serve({ pattern: '/a' })
  expect(() => server.use({ pattern: '/{' })).toThrow()
  // What was there before goes on.
  await pair(server, '/a')
  expect(() => server.use({ timeout: 5 })).toThrow('use: timeout is an option of serve')
})

test('handlers can be added before others, and taken back, while connections stay', async () => {
  const server = await serve({ pattern: '/chat', onMessage: (connection) => connection.send('first') })
  const [client] = await pair(server)
  server.use({ pattern: '/chat', onMessage: (connection) => connection.send('second') })
  client.send('?')
  expect(await client.next()).toBe('second')
  server.use({ pattern: '/news' })
  await pair(server, '/news')
  server.resetHandlers()
  client.send('?')
  expect(await client.next()).toBe('first')
  expect(await refusal(server.url('/news'))).toBe(404)
})

test('openings can be refused: the next ones, or all', async () => {
  const server = await serve()
  server.refuse(503, { times: 2, headers: { 'Retry-After': '1' } })
  expect(await refusal(server.url('/a'))).toBe(503)
  expect(await refusal(server.url('/a'))).toBe(503)
  await pair(server, '/a')
  expect(server.refusals).toEqual([{ path: '/a', status: 503 }, { path: '/a', status: 503 }])
  server.refuse(401)
  for (let count = 0; count < 3; count++) expect(await refusal(server.url('/a'))).toBe(401)
  await server.reset()
  await pair(server, '/a')
  expect(() => server.refuse(200)).toThrow('refuse: expected an HTTP status from 300 to 599 such as 503, got 200')
})

test('a server that is down drops everyone and takes nobody until it is up', async () => {
  const server = await serve()
  const [client] = await pair(server)
  server.down()
  expect((await client.ended).code).toBe(1006)
  expect((await dial(server.url('/chat')).ended).code).toBe(1006)
  expect(server.connections).toEqual([])
  server.up()
  await pair(server)
})

test('what does not come in time is an error that shows what did', async () => {
  const server = await serve([{ pattern: '/chat' }, { pattern: '/news' }], SHORT)
  await expect(server.connection()).rejects.toThrow('no connection was opened within 50 ms\nConnections: none')
  await refusal(server.url('/chta'))
  await expect(server.connection()).rejects.toThrow('Refused: /chta with 404')
  const [client, connection] = await pair(server)
  client.send({ type: 'hello' })
  await connection.next()
  await expect(server.connection('/news')).rejects.toThrow('no further connection on /news was opened within 50 ms\nConnections: 1\n  1. /chat, open')
  const error = await connection.next({ type: 'join' }).then(() => undefined, (thrown: Error) => thrown)
  expect(error!.message).toBe(
    "no message that matches { type: 'join' } came within 50 ms\nConnection: /chat, open\nReceived: 1 message\n  1. { type: 'hello' } (read)",
  )
  // Where the test waited, not where time was up.
  expect(error!.stack).toContain('serve.test.ts')
  await expect(connection.ended()).rejects.toThrow('the connection has not ended within 50 ms')
  await expect(server.next(expect.objectContaining({ type: expect.any(String) }), { timeout: 1 })).rejects.toThrow(
    'no message that matches ObjectContaining { type: Any<String> } came within 1 ms',
  )
})

test('who closed a connection, and with what', async () => {
  const server = await serve({ pattern: '/chat', onMessage: (connection) => void connection.close(4001, 'enough') })
  const [client, connection] = await pair(server)
  client.send('?')
  expect(await connection.ended()).toEqual({ code: 4001, reason: 'enough', by: 'server' })
  const [other, left] = await pair(server)
  other.socket.close(3000, 'bye')
  expect(await left.ended()).toEqual({ code: 3000, reason: 'bye', by: 'client' })
  const [third, closed] = await pair(server)
  await closed.close(1013, 'later')
  expect(await third.ended).toEqual({ code: 1013, reason: 'later' })
  const [fourth, silent] = await pair(server)
  fourth.socket.close()
  expect(await silent.ended()).toEqual({ code: 1005, reason: '', by: 'client' })
})

test('at its end a test can be told what should fail it', async () => {
  const server = await serve({
    pattern: '/chat',
    onMessage: (connection, message) => {
      if (message === 'throw') throw new TypeError('this is broken')
      return connection.send('fine')
    },
  })
  await server.verify()
  const [client] = await pair(server)
  client.send('hello')
  await client.next()
  await expect(server.verify()).rejects.toThrow('1 connection is still open; close the client at the end of the test, or allow leftovers:\n  1. /chat, open')
  await server.verify({ leftovers: true })
  await expect(server.verify({ leftovers: true, unread: true })).rejects.toThrow("1 message was not read:\n  1. /chat: 'hello'")
  await server.next('hello')
  client.send('throw')
  await client.next()
  const error = await server.verify({ leftovers: true, unread: false }).then(() => undefined, (thrown: Error) => thrown)
  expect(error!.message).toBe('onMessage on /chat threw TypeError: this is broken')
  expect(error!.stack).toMatch(/threw TypeError: this is broken\n\s+at .*serve\.test\.ts/)
  expect(server.errors).toEqual([new TypeError('this is broken')])
  await client.close()
  await server.reset()
  await server.verify({ unread: true })
})

test('an error that a handler takes itself fails nothing', async () => {
  const server = await serve({
    pattern: '/chat',
    onMessage: () => Promise.reject(new Error('expected')),
    onError: (connection, error) => connection.send(error.message),
  })
  const [client] = await pair(server)
  client.send('?')
  expect(await client.next()).toBe('expected')
  expect(server.errors).toEqual([])
})

test('its clock can be manual, or be stopped later', async () => {
  const server = await serve({ pattern: '/slow', delay: 60_000, onMessage: (connection) => connection.send('done') }, { clock: 'manual' })
  const [client] = await pair(server, '/slow')
  client.send('?')
  await server.clock.advance('1m')
  expect(await client.next()).toBe('done')
  const other = await serve({ pattern: '/slow', delay: 60_000, onMessage: (connection) => connection.send('done') })
  const [late] = await pair(other, '/slow')
  other.clock.pause()
  late.send('?')
  await other.clock.advance('1m')
  expect(await late.next()).toBe('done')
})

test('faults are switched on and off, and their latency is of its clock', async () => {
  const server = await serve({ pattern: '/chat', onMessage: (connection, message) => connection.send(message) }, { clock: 'manual' })
  server.faults.add({ on: 'open', refuse: 503, times: 1 })
  expect(await refusal(server.url('/chat'))).toBe(503)
  expect(server.refusals).toEqual([{ path: '/chat', status: 503 }])
  const [client, connection] = await pair(server)
  const slow = server.faults.add({ on: 'send', latency: 5000 })
  client.send('late')
  await connection.next('late')
  await server.clock.advance(4999)
  expect(client.rest).toEqual([])
  await server.clock.advance(1)
  expect(await client.next()).toBe('late')
  expect(slow.remove()).toBe(true)
  client.send('at once')
  expect(await client.next()).toBe('at once')
  connection.faults.add({ after: { messages: 1 }, terminate: true })
  client.send('the last one')
  expect(await connection.ended()).toMatchObject({ code: 1006 })
  server.faults.add({ on: 'open', refuse: 503 })
  await server.reset()
  await pair(server)
})

test('it can serve beside others on a server that runs', async () => {
  const http = createServer((_, response) => response.end('mine'))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  atEnd(() => http.close())
  const server = await serve({ pattern: '/chat' }, { server: http })
  expect(server.port).toBe((http.address() as AddressInfo).port)
  await pair(server)
  expect(await (await fetch(`http://127.0.0.1:${server.port}/`)).text()).toBe('mine')
  await server.close()
  expect(http.listening).toBe(true)
  http.closeAllConnections()
})

test('many at once know nothing of each other', async () => {
  const servers = await Promise.all(Array.from({ length: 20 }, (_, index) => serve({ pattern: '/who', onMessage: (connection) => connection.send(index) })))
  await Promise.all(
    servers.map(async (server, index) => {
      const [client] = await pair(server, '/who')
      client.send({ index })
      expect(await client.json()).toBe(index)
      expect(server.received).toEqual([{ index }])
    }),
  )
  expect(new Set(servers.map(({ port }) => port)).size).toBe(20)
})

test('after it is closed its clients are told, and nothing is left of it', async () => {
  const server = await start()
  const client = await connect(server.url())
  await server.connection()
  const { port } = server
  await server.close()
  await server.close()
  expect((await client.ended).code).toBe(1001)
  expect((await dial(`ws://127.0.0.1:${port}/`).ended).code).toBe(1006)
  {
    await using other = await start()
    await connect(other.url())
  }
})
