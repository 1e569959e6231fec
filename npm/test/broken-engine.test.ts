/** An engine that failed is replaced: its connections are told so, and the next are served. */

import { expect, test } from 'vitest'
import type { WebSocketConnection } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { atEnd, serve, serveVite, signal } from './support/server.js'

/** Calls the engine until the stack ends, which most often is in the middle of it. */
function overflow(connection: WebSocketConnection): void {
  connection.broadcast('x', { includeSelf: true })
  overflow(connection)
}

const unhandled: unknown[] = []

function watchRejections(): void {
  const listener = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', listener)
  atEnd(() => process.off('unhandledRejection', listener))
}

const handlers = (closed: (code: number) => void = () => {}) => [
  {
    pattern: '/',
    onMessage: async (connection: WebSocketConnection, message: string) => {
      if (message === 'later') await null
      if (message !== 'echo') overflow(connection)
      connection.send(message)
    },
    onClose: (_: WebSocketConnection, code: number) => closed(code),
  },
]

test.each(['now', 'later'])('a stack that ends in the engine (%s) costs the connections, and nothing else', async (when) => {
  watchRejections()
  const codes: number[] = []
  const server = await serve(handlers((code) => codes.push(code)))
  for (let round = 0; round < 3; round++) {
    const [client, other] = [await connect(server.url('/api/')), await connect(server.url('/api/'))]
    client.send(when)
    const restarted = { code: 1012, reason: 'the server was restarted' }
    expect([await client.ended, await other.ended]).toEqual([restarted, restarted])
    const next = await connect(server.url('/api/'))
    next.send('echo')
    expect(await next.next()).toBe('echo')
    expect(server.switchboard.stats().connections).toBe(1)
    await next.close()
  }
  expect(codes.filter((code) => code === 1012)).toHaveLength(6)
  const lines = server.lines.filter((line) => line.includes('engine failed'))
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(/^error .*closed 2 connections.*please report this: .*call stack.*without end/)
  expect(unhandled).toEqual([])
})

test('many failures in a row are mended with pauses between, in which clients are told to wait', async () => {
  const server = await serve(handlers())
  let refused = 0
  for (let failures = 0; failures < 5; ) {
    const client = await connect(server.url('/api/')).catch(() => undefined)
    if (client === undefined) {
      refused++
      continue
    }
    client.send('now')
    expect((await client.ended).code).toBe(1012)
    failures++
  }
  expect(refused).toBeGreaterThan(0)
})

test('a connection of before does nothing any more, whoever has its place now', async () => {
  const kept = signal<WebSocketConnection>()
  const server = await serve([...handlers(), { pattern: '/kept', onConnect: (connection) => kept.resolve(connection) }])
  const first = await connect(server.url('/api/kept'))
  const old = await kept.promise
  const client = await connect(server.url('/api/'))
  client.send('now')
  await first.ended
  const next = await connect(server.url('/api/'))
  old.send('to somebody else')
  old.broadcast('to others', { includeSelf: true })
  old.joinRoom('room')
  await old.close()
  expect([old.closed, old.getRooms()]).toEqual([true, []])
  next.send('echo')
  expect(await next.next()).toBe('echo')
})

test('after a failure Vite restarts, and serves', async () => {
  const { url, server } = await serveVite({ wsHandlers: handlers() })
  const client = await connect(url('/api/'))
  client.send('now')
  expect((await client.ended).code).toBe(1012)
  await server.restart()
  const port = (server.httpServer!.address() as { port: number }).port
  const next = await connect(`ws://127.0.0.1:${port}/api/`)
  next.send('echo')
  expect(await next.next()).toBe('echo')
})

test('after a failure the server closes', async () => {
  const server = await serve(handlers())
  const client = await connect(server.url('/api/'))
  client.send('now')
  await server.switchboard.close()
  expect([1001, 1012]).toContain((await client.ended).code)
})

test('channels are left and events are told too, once for each who was let in', async () => {
  const left: string[] = []
  let id = ''
  const server = await serve(
    {
      pattern: '/overflow',
      onMessage: (connection: WebSocketConnection) => overflow(connection),
    },
    {
      routes: [
        {
          pattern: '/chat',
          dialect: 'commands',
          commands: { on: { connect: (client) => void (id = client.id), disconnect: (gone) => void left.push(gone) } },
        },
        {
          pattern: '/socket/websocket',
          dialect: 'phoenix',
          phoenix: {
            channels: [
              {
                topic: 'room:*',
                join: ({ waits }) => (waits ? new Promise(() => {}) : undefined),
                leave: (reason, { topic }) => void left.push(`${topic} ${reason}`),
              },
            ],
          },
        },
      ],
    },
  )
  const client = await connect(server.url('/socket/websocket?vsn=2.0.0'))
  client.send(['1', '1', 'room:in', 'phx_join', {}])
  expect((await client.json())[3]).toBe('phx_reply')
  client.send(['2', '2', 'room:waits', 'phx_join', { waits: true }])
  const somebody = await connect(server.url('/chat'))
  await somebody.next()
  const other = await connect(server.url('/api/overflow'))
  other.send('now')
  expect((await client.ended).code).toBe(1012)
  expect((await somebody.ended).code).toBe(1012)
  expect(left.sort()).toEqual([id, 'room:in closed'].sort())
  expect(id).not.toBe('')
})
