/** Should the engine ever fail: that is said, and nothing hangs. */

import { expect, test } from 'vitest'

import { connect, refusal } from './support/client.js'
import { serve } from './support/server.js'

test('a trap is a line in the log, the end of all connections, and 503 from then on', async () => {
  const server = await serve({ pattern: '/', onMessage: () => {} })
  const [client, other] = [await connect(server.url('/api/')), await connect(server.url('/api/'))]
  const engine = new URL('../dist/switchboard_wasm.js', import.meta.url).href
  const { Switchboard } = (await import(/* @vite-ignore */ engine)) as { Switchboard: { prototype: { receive(): void } } }
  Switchboard.prototype.receive = () => {
    throw Object.assign(new Error('unreachable'), { name: 'RuntimeError' })
  }
  client.send('x')
  expect((await client.ended).code).toBe(1006)
  expect((await other.ended).code).toBe(1006)
  expect(server.lines).toContainEqual(expect.stringMatching(/^error .*engine failed.*unreachable/))
  expect(await refusal(server.url('/api/'))).toBe(503)
})
