/** Messages of one connection are handled one after another. */

import { setImmediate } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { connect } from './support/client.js'
import { serve, signal } from './support/server.js'

test('async handlers are awaited, in the order in which the messages came', async () => {
  const events: string[] = []
  const server = await serve({
    pattern: '/',
    onConnect: async () => {
      await setImmediate()
      events.push('connect')
    },
    transformRawData: async (raw) => {
      for (let turns = 5 - Number(raw); turns > 0; turns--) await setImmediate()
      return Number(raw)
    },
    onMessage: async (connection, message) => {
      events.push(`begin ${message}`)
      await setImmediate()
      events.push(`end ${message}`)
      connection.send(message)
    },
  })
  const client = await connect(server.url('/api/'))
  for (const number of [1, 2, 3, 4]) client.send(String(number))
  const received = []
  for (let count = 0; count < 4; count++) received.push(await client.next())
  expect(received).toEqual(['1', '2', '3', '4'])
  expect(events).toEqual(['connect', ...[1, 2, 3, 4].flatMap((number) => [`begin ${number}`, `end ${number}`])])
})

test('connections do not wait for each other', async () => {
  const release = signal()
  const server = await serve({
    pattern: '/',
    onMessage: async (connection, message) => {
      if (message === 'wait') await release.promise
      connection.send(message)
    },
  })
  const [slow, fast] = [await connect(server.url('/api/')), await connect(server.url('/api/'))]
  slow.send('wait')
  fast.send('go')
  expect(await fast.next()).toBe('go')
  release.resolve()
  expect(await slow.next()).toBe('wait')
})

test('what is sent between two awaits goes out at once', async () => {
  const release = signal()
  const server = await serve({
    pattern: '/',
    onMessage: async (connection) => {
      connection.send('before')
      await release.promise
      connection.send('after')
    },
  })
  const client = await connect(server.url('/api/'))
  client.send('x')
  expect(await client.next()).toBe('before')
  release.resolve()
  expect(await client.next()).toBe('after')
})

test('what one read brought is answered with few writes', async () => {
  const server = await serve({ pattern: '/', parse: 'text', onMessage: (connection, message) => connection.send(message) })
  const client = await connect(server.url('/api/'))
  const transport = (client.socket as unknown as { _socket: NodeJS.ReadWriteStream & { cork(): void; uncork(): void } })._socket
  let reads = 0
  transport.on('data', () => reads++)
  transport.cork()
  for (let number = 0; number < 100; number++) client.send(String(number))
  transport.uncork()
  for (let number = 0; number < 100; number++) expect(await client.next()).toBe(String(number))
  expect(reads).toBeLessThan(5)
})

test('sends outside of any hook arrive in order', async () => {
  const opened = signal<{ send(data: unknown): void }>()
  const server = await serve({ pattern: '/', onConnect: (connection) => opened.resolve(connection) })
  const client = await connect(server.url('/api/'))
  const connection = await opened.promise
  for (let number = 0; number < 1000; number++) connection.send(number)
  for (let number = 0; number < 1000; number++) expect(await client.next()).toBe(String(number))
})
