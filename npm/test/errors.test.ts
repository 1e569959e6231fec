/** What a handler that fails costs. */

import { expect, test } from 'vitest'
import type { WebSocketHandler } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { atEnd, serve, signal } from './support/server.js'

const unhandled: unknown[] = []
const listener = (reason: unknown) => void unhandled.push(reason)

async function open(handler: Partial<WebSocketHandler>) {
  process.on('unhandledRejection', listener)
  atEnd(() => process.off('unhandledRejection', listener))
  const server = await serve([
    { pattern: '/', ...handler },
    { pattern: '/healthy', onMessage: (connection, message) => connection.send(message) },
  ])
  return { server, client: await connect(server.url('/api/')) }
}

async function expectHealthy(server: { url(path: string): string }): Promise<void> {
  const client = await connect(server.url('/api/healthy'))
  client.send('ok')
  expect(await client.next()).toBe('ok')
  expect(unhandled).toEqual([])
}

const frame = { type: 'error', message: 'no' }

test.each<[string, () => unknown]>([
  ['throws', () => { throw new Error('no') }],
  ['rejects', () => Promise.reject(new Error('no'))],
  ['throws no error', () => { throw 'no' }],
  ['gives a thenable that rejects', () => ({ then: (_: unknown, reject: (reason: unknown) => void) => reject(new Error('no')) })],
  ['gives an object whose then throws', () => ({ get then() { throw new Error('no') } })],
])('onMessage %s: an error frame, and the next message is handled', async (_, fail) => {
  const { server, client } = await open({
    onMessage: (connection, message) => (message === 'fail' ? fail() : connection.send(message)),
  })
  client.send('fail')
  client.send('next')
  expect(await client.json()).toEqual(frame)
  expect(await client.next()).toBe('next')
  await expectHealthy(server)
})

test('onConnect that throws closes with 1011', async () => {
  const { server, client } = await open({ onConnect: () => Promise.reject(new Error('no')) })
  expect(await client.json()).toEqual(frame)
  expect(await client.ended).toEqual({ code: 1011, reason: 'Internal error' })
  await expectHealthy(server)
})

test('onError gets what was thrown instead', async () => {
  class Special extends Error {}
  const seen = signal<unknown>()
  const { server, client } = await open({
    onMessage: () => { throw new Special('no') },
    onError: (connection, error) => {
      seen.resolve(error)
      connection.send('onError')
    },
  })
  client.send('x')
  expect(await client.next()).toBe('onError')
  expect(await seen.promise).toBeInstanceOf(Special)
  await expectHealthy(server)
})

test('onError that throws is a line in the log', async () => {
  const { server, client } = await open({
    onMessage: (connection, message) => { connection.send(message); throw new Error('first') },
    onError: () => { throw new Error('second') },
  })
  client.send('x')
  client.send('y')
  expect([await client.next(), await client.next()]).toEqual(['x', 'y'])
  await expect.poll(() => server.lines.some((line) => line.startsWith('error') && line.includes('second'))).toBe(true)
  await expectHealthy(server)
})

test('what cannot be JSON is the handler’s error', async () => {
  const { server, client } = await open({
    onMessage: async (connection) => {
      const cycle: Record<string, unknown> = {}
      cycle.cycle = cycle
      await connection.send(cycle)
    },
  })
  client.send('x')
  expect((await client.json()).type).toBe('error')
  await expectHealthy(server)
})

test('a promise that is not awaited ends nothing', async () => {
  const { server, client } = await open({
    onMessage: (connection) => {
      void connection.send(1n)
      void connection.close(1)
      connection.send('done')
    },
  })
  client.send('x')
  expect(await client.next()).toBe('done')
  await expectHealthy(server)
})

test('a ping that is too long throws where it is called', async () => {
  const { server, client } = await open({ onMessage: (connection) => connection.ping('x'.repeat(126)) })
  client.send('x')
  expect((await client.json()).message).toContain('125')
  await expectHealthy(server)
})

test('a handler that never ends holds up its own connection only', async () => {
  const { server, client } = await open({ onMessage: () => new Promise(() => {}) })
  client.send('x')
  await expectHealthy(server)
  expect(await client.close()).toEqual({ code: 1000, reason: '' })
})

test('a handler that takes too long has failed', async () => {
  const server = await serve(
    { pattern: '/', onMessage: (connection, message) => (message === 'hang' ? new Promise(() => {}) : connection.send(message)) },
    { limits: { handlerTimeout: 20 } },
  )
  const client = await connect(server.url('/api/'))
  client.send('hang')
  client.send('next')
  expect((await client.json()).type).toBe('error')
  expect(await client.next()).toBe('next')
})

test('what a function comes to after its time does not touch the message behind it', async () => {
  const [late, next, asked] = [signal<boolean>(), signal<boolean>(), signal<void>()]
  const match = (_: unknown, message: unknown) => {
    if (message === 'late') return late.promise
    asked.resolve()
    return next.promise
  }
  const server = await serve(
    {
      pattern: '/',
      responses: [{ match, response: 'never' }],
      onMessage: (connection, message) => connection.send({ message }),
    },
    { limits: { handlerTimeout: 500 } },
  )
  const client = await connect(server.url('/api/'))
  client.send('late')
  client.send('next')
  expect((await client.json()).type).toBe('error')
  await asked.promise
  late.resolve(true)
  await new Promise(setImmediate)
  next.resolve(false)
  expect(await client.json()).toEqual({ message: 'next' })
})

test('a client that breaks the protocol is told, and onError too', async () => {
  const seen = signal<Error>()
  const { server, client } = await open({ onError: (_, error) => seen.resolve(error) })
  const transport = (client.socket as unknown as { _socket: NodeJS.WritableStream })._socket
  transport.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]))
  expect((await client.ended).code).toBe(1002)
  expect((await seen.promise).message).toBeTruthy()
  await expectHealthy(server)
})

test('what a client wrote commands no terminal and forges no line', async () => {
  const { server, client } = await open({
    onMessage: (_, message) => {
      throw new Error(message)
    },
    onError: (_, error) => {
      throw error
    },
  })
  client.send('a\x1b]0;owned\x07\x9b2J\x7f\t\r\nERROR forged\u2028é')
  const written = 'a\\u{1b}]0;owned\\u{7}\\u{9b}2J\\u{7f}\\t\\r\\nERROR forged\\u{2028}é'
  await expect.poll(() => server.lines.join('\n')).toContain(written)
  for (const line of server.lines) expect(line.replace(/\n {4}at /g, '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/)
})
