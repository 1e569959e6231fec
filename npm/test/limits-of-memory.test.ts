/** What does not fit into the engine's memory, and loggers that come back while it is at work, end nothing. */

import { once } from 'node:events'
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

import { connect } from './support/client.js'
import { atEnd, serve } from './support/server.js'

const MIB = 1 << 20

test('a recording that is too large is said in the log, and the server serves', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-'))
  atEnd(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'large.jsonl')
  const handle = openSync(file, 'w')
  ftruncateSync(handle, 129 * MIB)
  closeSync(handle)
  const server = await serve([], {
    endpointPrefix: [],
    feeds: [{ name: 'large', replay: { file } }],
    routes: [{ pattern: '/ws', dialect: 'echo' }],
  })
  await expect.poll(() => server.lines.join('\n'), { timeout: 10_000 }).toContain(`has ${129 * MIB} bytes; the most is ${128 * MIB}`)
  const client = await connect(server.url('/ws'))
  client.send('hello')
  expect(await client.next()).toBe('hello')
})

test('a message of a target that is too large ends that connection alone', async () => {
  const target = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  atEnd(() => {
    for (const client of target.clients) client.terminate()
    target.close()
  })
  target.on('connection', (socket: WebSocket) => socket.on('message', () => socket.send(Buffer.alloc(129 * MIB))))
  await once(target, 'listening')
  const { port } = target.address() as { port: number }
  const server = await serve([], {
    endpointPrefix: [],
    routes: [
      { pattern: '/large', proxy: { url: `ws://127.0.0.1:${port}` }, maxPayload: 512 * MIB },
      { pattern: '/ws', dialect: 'echo' },
    ],
  })
  const [large, other] = [await connect(server.url('/large')), await connect(server.url('/ws'))]
  large.send('more')
  expect((await large.ended).code).toBe(1011)
  other.send('hello')
  expect(await other.next()).toBe('hello')
})

test('a logger may publish, send and close while the engine is at work', async () => {
  const large = { text: 'x'.repeat(20 * MIB) }
  const lines: string[] = []
  let others = 0
  let callBack: (() => void) | undefined
  const log = (line: string): void => {
    lines.push(line)
    // Its own lines must not be logged without end.
    const run = callBack
    callBack = undefined
    run?.()
  }
  const logger = { info: log, warn: log, error: log }
  const server = await serve(
    [
      { pattern: '/', onMessage: (connection: any, message: string) => connection.send(message) },
      {
        pattern: '/throw',
        onError: () => {},
        onMessage: () => {
          throw new Error('logged')
        },
      },
    ],
    { feeds: [{ name: 'news', history: 1 }], logger },
  )
  const [first, second] = [await connect(server.url('/api/')), await connect(server.url('/api/throw'))]
  callBack = () => {
    others++
    // The memory moves while the batch that logged is being read.
    server.switchboard.publish('news', large)
    server.switchboard.route('/').send('from the logger')
  }
  second.send('x')
  expect(await first.next()).toBe('from the logger')
  first.send('hello')
  expect(await first.next()).toBe('hello')
  expect(others).toBe(1)
  expect(lines.join('\n')).not.toContain('the engine failed')
})
