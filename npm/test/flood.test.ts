/** Clients that send as fast as they are read do not keep the server from others. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { expect, test } from 'vitest'
import type { WebSocketConnection } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { atEnd, serve } from './support/server.js'

/**
 * What a page and an echo may cost beside floods, in ms of this process's processor time, which does not depend on what
 * else the machine does. They take several rounds of Node's loop, of at most 8 ms each: 20 to 50 ms. Where floods come
 * first, nobody else is served for many seconds.
 */
const BUDGET = 100

test.each<[string, (connection: WebSocketConnection, message: unknown) => unknown]>([
  ['is done at once', () => {}],
  ['is awaited', async () => {}],
  ['answers', (connection, message) => connection.send(message)],
])('beside four floods, where each message %s, pages and other clients are served', async (_, onMessage) => {
  const server = await serve([
    { pattern: '/flood', onMessage },
    { pattern: '/echo', onMessage: (connection, message) => connection.send(message) },
  ])
  const script = new URL('support/flood.mjs', import.meta.url).pathname
  const child = spawn(process.execPath, [script, String(server.port), '/api/flood', '4', '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const client = await connect(server.url('/api/echo'))
  const costs: number[] = []
  for (let round = 0; round < 10; round++) {
    const before = process.cpuUsage()
    expect(await (await fetch(`http://127.0.0.1:${server.port}/page`)).text()).toBe('http')
    client.send('x')
    expect(await client.next()).toBe('x')
    const { user, system } = process.cpuUsage(before)
    costs.push((user + system) / 1000)
  }
  expect(costs.sort((a, b) => a - b)[5]).toBeLessThan(BUDGET)
})

test('nothing of a flood is lost or out of order', async () => {
  const seen: number[] = []
  const server = await serve({
    pattern: '/',
    onMessage: (connection, message) => {
      seen.push(message as number)
      // Longer than a round may be, so that most of it has to wait.
      if (seen.length % 500 === 0) for (const start = performance.now(); performance.now() - start < 10; );
      if (message === 4_999) connection.close()
    },
  })
  const client = await connect(server.url('/api/'))
  for (let number = 0; number < 5_000; number++) client.send(String(number))
  expect((await client.ended).code).toBe(1000)
  expect(seen).toEqual(Array.from({ length: 5_000 }, (_, number) => number))
})
