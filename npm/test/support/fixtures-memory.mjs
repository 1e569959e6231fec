// Uses so many servers for tests, one after another, and prints what they leave behind in bytes.
// node --expose-gc fixtures-memory.mjs <url of dist/testing/index.js> <count>

import { setTimeout as wait } from 'node:timers/promises'

import { WebSocket } from 'ws'

const [, , module, count] = process.argv
const { serve } = await import(module)

async function use(times) {
  for (let index = 0; index < times; index++) {
    const server = await serve({ pattern: '/chat', compression: true, heartbeat: 1000, onMessage: (connection, message) => connection.send(message) })
    const client = new WebSocket(server.url('/chat'))
    await new Promise((resolve, reject) => client.on('open', resolve).on('error', reject))
    client.send(JSON.stringify({ index, text: 'x'.repeat(2000) }))
    await new Promise((resolve) => client.on('message', resolve))
    await server.next()
    client.close()
    await (await server.connection()).ended()
    await server.close()
  }
}

async function held() {
  for (let round = 0; round < 5; round++) {
    globalThis.gc()
    await wait(20)
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heapUsed, external, rss }
}

await use(200)
const before = await held()
const start = performance.now()
await use(Number(count))
const ms = (performance.now() - start) / Number(count)
const after = await held()
console.log(JSON.stringify({ before, after, ms }))
