/** permessage-deflate as it is on the wire. */

import type { Duplex } from 'node:stream'

import { expect, test, vi } from 'vitest'
import type { WebSocketHandler } from 'vite-plugin-switchboard'

import { type Client, connect, refusal } from './support/client.js'
import { serve, signal } from './support/server.js'

const long = 'the same words again and again, '.repeat(200)

async function open(handler: Partial<WebSocketHandler>, offer: object | boolean = true) {
  const server = await serve({ pattern: '/', onMessage: (connection, message) => connection.send(message), ...handler })
  return { server, client: await connect(server.url('/api/'), { perMessageDeflate: offer }) }
}

/** How many bytes an echo takes on its way back. */
async function bytesBack(client: Client, text: string): Promise<number> {
  const transport = (client.socket as unknown as { _socket: { bytesRead: number } })._socket
  const before = transport.bytesRead
  client.send(text)
  expect(await client.next()).toBe(text)
  return transport.bytesRead - before
}

test('it is off by default', async () => {
  const { client } = await open({})
  expect(client.socket.extensions).toBe('')
  expect(await bytesBack(client, long)).toBe(long.length + 4)
})

test.each<[string, Partial<WebSocketHandler>]>([
  ['compression: true', { compression: true }],
  ['compression in short', { compression: { enabled: true, threshold: 1024 } }],
  ['perMessageDeflate: true', { perMessageDeflate: true }],
])('%s compresses what is long', async (_, handler) => {
  const { client } = await open(handler)
  expect(client.socket.extensions).toContain('permessage-deflate')
  expect(await bytesBack(client, long)).toBeLessThan(200)
  const short = long.slice(0, 1000)
  expect(await bytesBack(client, short)).toBe(short.length + 4)
  const limit = long.slice(0, 1024)
  expect(await bytesBack(client, limit)).toBeLessThan(200)
})

test('every parameter', async () => {
  const { client } = await open({
    perMessageDeflate: {
      serverNoContextTakeover: false,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 10,
      clientMaxWindowBits: 11,
      threshold: 0,
    },
  })
  expect(client.headers['sec-websocket-extensions']!.split(/; */).sort()).toEqual([
    'client_max_window_bits=11',
    'client_no_context_takeover',
    'permessage-deflate',
    'server_max_window_bits=10',
  ])
  const first = await bytesBack(client, long)
  expect(await bytesBack(client, long)).toBeLessThan(first)
})

test('enabled: false is off', async () => {
  const { client } = await open({ compression: { enabled: false } })
  expect(client.socket.extensions).toBe('')
})

test('a broadcast reaches compressed and plain clients alike', async () => {
  const { server, client } = await open({
    compression: true,
    onMessage: (connection, message) => connection.broadcast(message, { includeSelf: true }),
  })
  const plain = await connect(server.url('/api/'))
  client.send(long)
  expect([await client.next(), await plain.next()]).toEqual([long, long])
})

test('strict refuses what cannot be accepted', async () => {
  const offer = { 'sec-websocket-extensions': 'permessage-deflate; server_max_window_bits=8' }
  const strict = await serve({ pattern: '/', perMessageDeflate: { strict: true } })
  expect(await refusal(strict.url('/api/'), { headers: offer })).toBe(400)
})

test('a decompression bomb closes with 1009', async () => {
  const { client } = await open({ compression: true, maxPayload: 10_000 })
  client.send('0'.repeat(1_000_000))
  expect((await client.ended).code).toBe(1009)
})

test('what was sent before a cut is handled, however much it inflates to', async () => {
  const count = 40
  const handled: number[] = []
  const ended = signal<number>()
  const { client } = await open(
    {
      perMessageDeflate: true,
      onMessage: async (_, message) => {
        await new Promise((resolve) => setImmediate(resolve))
        handled.push((message as Buffer)[0]!)
      },
      onClose: (_, code) => ended.resolve(code),
    },
    true,
  )
  for (let index = 0; index < count; index++) client.socket.send(Buffer.alloc(100_000, index))
  await vi.waitUntil(() => client.socket.bufferedAmount === 0)
  ;(client.socket as unknown as { _socket: Duplex })._socket.end()
  expect(await ended.promise).toBe(1006)
  expect(handled).toEqual([...Array(count).keys()])
})
