/** What servers for tests cost: time to be ready, and what they leave behind. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'
import { serve } from 'vite-plugin-switchboard/testing'

interface Held {
  heapUsed: number
  external: number
  rss: number
}

const MIB = 1024 * 1024

test('a thousand servers leave nothing behind', { timeout: 180_000 }, async () => {
  const script = fileURLToPath(new URL('../support/fixtures-memory.mjs', import.meta.url))
  const module = new URL('../../dist/testing/index.js', import.meta.url).href
  const printed = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ['--expose-gc', script, module, '1000'], (error, out) => (error ? reject(error) : resolve(out)))
  })
  const { before, after } = JSON.parse(printed) as { before: Held; after: Held }
  expect(after.heapUsed - before.heapUsed).toBeLessThan(4 * MIB)
  expect(after.external - before.external).toBeLessThan(MIB)
  // An engine has more than a MiB: a thousand of them would show.
  expect(after.rss - before.rss).toBeLessThan(64 * MIB)
})

test('one is ready in less than 20 ms, after the first', async () => {
  const times: number[] = []
  for (let count = 0; count < 21; count++) {
    const start = performance.now()
    const server = await serve({ pattern: '/chat', onMessage: () => {} })
    times.push(performance.now() - start)
    await server.close()
  }
  // The fastest, as a machine that does other things too makes any of them slow.
  expect(Math.min(...times.slice(1))).toBeLessThan(20)
})
