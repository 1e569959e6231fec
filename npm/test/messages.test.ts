/** From a message to `onMessage`: parse, transformRawData, delay, responses. */

import { expect, test } from 'vitest'
import type { WebSocketHandler } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { serve, signal } from './support/server.js'

async function open(handler: Partial<WebSocketHandler>, options = {}) {
  const seen: unknown[] = []
  const onMessage: WebSocketHandler['onMessage'] = (connection, message) => {
    seen.push(message)
    connection.send('seen')
  }
  const server = await serve({ pattern: '/', onMessage, ...handler }, options)
  return { seen, server, client: await connect(server.url('/api/')) }
}

async function sendAll(client: Awaited<ReturnType<typeof connect>>, messages: (string | Buffer)[]): Promise<void> {
  for (const message of messages) client.send(message)
  for (const _ of messages) await client.next()
}

const messages = ['{"a":1}', 'null', '123', '"s"', 'plain', '', '{"a":', Buffer.from('{}')]

test('text is parsed where it is JSON', async () => {
  const { seen, client } = await open({})
  await sendAll(client, messages)
  expect(seen).toEqual([{ a: 1 }, null, 123, 's', 'plain', '', '{"a":', Buffer.from('{}')])
})

test("parse: 'text' leaves it as it came", async () => {
  const { seen, client } = await open({ parse: 'text' })
  await sendAll(client, messages)
  expect(seen).toEqual(messages)
})

test("parse: 'none' gives bytes", async () => {
  const { seen, client } = await open({ parse: 'none' })
  await sendAll(client, messages)
  expect(seen).toEqual(messages.map((message) => Buffer.from(message)))
})

test('transformRawData replaces parsing, and what it throws drops the message', async () => {
  const { seen, client } = await open({
    transformRawData: async (raw) => {
      if (raw.length === 0) throw new Error('empty')
      return { length: raw.length }
    },
  })
  client.send('abc')
  client.send('')
  client.send(Buffer.from([1]))
  expect([await client.next(), await client.json(), await client.next()]).toEqual([
    'seen',
    { type: 'error', message: 'empty' },
    'seen',
  ])
  expect(seen).toEqual([{ length: 3 }, { length: 1 }])
})

test('delay holds messages back, the plugin’s or the handler’s', async () => {
  for (const [handler, options] of [[{ delay: 50 }, { delay: 10_000 }], [{}, { delay: 50 }]]) {
    const { client } = await open(handler!, options)
    const start = performance.now()
    client.send('x')
    await client.next()
    expect(performance.now() - start).toBeGreaterThanOrEqual(45)
  }
})

test('the first response that matches suppresses the others and onMessage', async () => {
  const { seen, client } = await open({
    responses: [
      { match: (_, message) => message === 'value', response: { a: 1 } },
      { match: async (_, message) => message === 'function', response: async (connection: any, message: string) => [connection.path, message] },
      { match: (_, message) => message === 'function', response: 'never' },
      { match: (_, message) => message === 'bytes', response: Buffer.from([1]) },
      { match: (_, message) => message === 'nothing', response: () => {} },
      { match: (_, message) => { if (message === 'fail') throw new Error('no') }, response: 'never' },
    ],
  })
  for (const message of ['value', 'function', 'bytes', 'nothing', 'fail', 'other']) client.send(message)
  expect(await client.json()).toEqual({ a: 1 })
  expect(await client.json()).toEqual(['/api/', 'function'])
  expect(await client.next()).toEqual(Buffer.from([1]))
  expect(await client.json()).toEqual({ type: 'error', message: 'no' })
  expect(await client.next()).toBe('seen')
  expect(seen).toEqual(['other'])
})

test('responses can be broadcast', async () => {
  const { client, server } = await open({
    onConnect: (connection) => connection.joinRoom('room'),
    responses: [
      { match: (_, message) => message === 'rooms', response: 'to my rooms', broadcast: true },
      { match: (_, message) => message === 'all', response: 'to all', broadcast: { includeSelf: true } },
      { match: (_, message) => message === 'room', response: 'to the room', broadcast: { room: 'room' } },
    ],
  })
  const other = await connect(server.url('/api/'))
  for (const message of ['rooms', 'all', 'room', 'other']) client.send(message)
  expect([await other.next(), await other.next(), await other.next()]).toEqual(['to my rooms', 'to all', 'to the room'])
  expect([await client.next(), await client.next()]).toEqual(['to all', 'seen'])
})

test('responses without functions are rules', async () => {
  const server = await serve({ pattern: '/', responses: [{ match: { type: 'hi' }, response: { hello: '{message.name}' } }] })
  const client = await connect(server.url('/api/'))
  client.send({ type: 'hi', name: 'Ada' })
  expect(await client.json()).toEqual({ hello: 'Ada' })
})

test('a message over maxPayload closes with 1009', async () => {
  const closed = signal<number>()
  const { client } = await open({ maxPayload: 100, onClose: (_, code) => closed.resolve(code) })
  client.send('x'.repeat(100))
  await client.next()
  client.send('x'.repeat(101))
  expect((await client.ended).code).toBe(1009)
  expect(await closed.promise).toBe(1009)
})

test('large messages in both directions', async () => {
  const { client } = await open({ onMessage: (connection, message) => connection.send(message) })
  const bytes = Buffer.alloc(3_000_000, 7)
  client.send(bytes)
  expect(bytes.equals((await client.next()) as Buffer)).toBe(true)
})
