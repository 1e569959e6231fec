/** What waits on the way through a proxy is bounded in both directions, and nothing of it is lost. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'
import type { ProxyOptions } from 'vite-plugin-switchboard'
import { WebSocket, WebSocketServer } from 'ws'

import { connect } from './support/client.js'
import { atEnd, serve, signal } from './support/server.js'

const KIB = 1024
const MIB = 1024 * KIB

/** Another server, which does this with its one connection. */
async function target(serveOne: (socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, maxPayload: 1024 * MIB })
  await once(server, 'listening')
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    serveOne(socket)
  })
  atEnd(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const proxy = (options: ProxyOptions, more = {}) =>
  serve([], { routes: [{ pattern: '/', dialect: 'proxy', proxy: options, ...more }] })

function numbered(number: number, length: number): Buffer {
  const payload = Buffer.alloc(length)
  payload.writeUInt32BE(number)
  return payload
}

/** Resolves when nothing is taken for a second: how many of the messages were. */
async function fill(send: (done: () => void) => void, most: number): Promise<number> {
  let taken = 0
  for (let sent = 0; sent < most; sent++) {
    const isTaken = await Promise.race([
      new Promise<true>((resolve) => send(() => resolve(true))),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 1000)),
    ])
    if (!isTaken) return taken
    taken++
  }
  return taken
}

test('both sides may send at once', { timeout: 60_000 }, async () => {
  const count = 24
  const url = await target((socket) => {
    // One after another: it reads on when its answer is written.
    socket.on('message', (data) => {
      socket.pause()
      socket.send(data, () => socket.resume())
    })
  })
  const server = await proxy({ url })
  const client = await connect(server.url('/'))
  for (let index = 0; index < count; index++) client.socket.send(numbered(index, MIB))
  for (let index = 0; index < count; index++) {
    const echo = (await client.next()) as Buffer
    expect([echo.readUInt32BE(), echo.length]).toEqual([index, MIB])
  }
})

test('a target that does not read pauses its client', { timeout: 30_000 }, async () => {
  let total = 0
  let reader: WebSocket | undefined
  const url = await target((socket) => {
    reader = socket
    socket.pause()
    socket.on('message', (data: Buffer) => (total += data.length))
  })
  const server = await proxy({ url, maxWaiting: MIB })
  const client = await connect(server.url('/'))
  const taken = await fill((done) => client.socket.send(Buffer.alloc(64 * KIB), done), 100 * 16)
  expect(taken * 64 * KIB).toBeLessThan(24 * MIB)
  const { clientBytes, upstreamBytes } = server.switchboard.stats()
  expect(upstreamBytes.queued).toBeLessThan(MIB + 128 * KIB)
  expect(clientBytes.waiting).toBeLessThan(2 * MIB)
  const closed = once(reader!, 'close')
  reader!.resume()
  client.socket.close(4000)
  expect((await closed)[0]).toBe(4000)
  // The message that was being sent too.
  expect(total).toBe((taken + 1) * 64 * KIB)
})

test('a client that does not read pauses its target', { timeout: 30_000 }, async () => {
  const count = 100 * 16
  let taken = 0
  const { promise, resolve } = signal()
  const url = await target(async (socket) => {
    const send = (done: () => void) => socket.send(numbered(taken, 64 * KIB), done)
    taken = 0
    const counting = (done: () => void) =>
      send(() => {
        taken++
        done()
      })
    const first = await fill(counting, count)
    resolve()
    expect(first).toBeLessThan(count)
    // The one that was being sent is counted when it is taken.
    for (let index = first + 1; index < count; index++) socket.send(numbered(index, 64 * KIB))
    socket.close(4001)
  })
  const server = await proxy({ url }, { outbound: { maxBytes: 64 * KIB } })
  const client = await connect(server.url('/'))
  client.socket.pause()
  await promise
  expect(taken * 64 * KIB).toBeLessThan(24 * MIB)
  client.socket.resume()
  for (let index = 0; index < count; index++) expect(((await client.next()) as Buffer).readUInt32BE()).toBe(index)
  expect((await client.ended).code).toBe(4001)
})

test('a target that takes nothing in time is given up, and what waits with it', { timeout: 30_000 }, async () => {
  const url = await target((socket) => socket.pause())
  const server = await proxy({ url, maxWaiting: MIB, sendTimeout: 500 })
  const client = await connect(server.url('/'))
  const message = Buffer.alloc(256 * KIB)
  const sending = setInterval(() => client.socket.send(message), 1)
  expect(await client.ended).toEqual({ code: 1011, reason: 'Proxy error' })
  clearInterval(sending)
  expect(server.lines.join('\n')).toContain('no message was taken within 500 ms')
  await expect.poll(() => server.switchboard.stats()).toMatchObject({ connections: 0, upstreams: 0, timers: 0 })
})

test('a target that breaks off does so for its client', async () => {
  const url = await target((socket) => socket.on('message', () => socket.terminate()))
  const server = await proxy({ url })
  const client = await connect(server.url('/'))
  client.send('go')
  expect((await client.ended).code).toBe(1006)
})

test("a client's opening handshake is answered as its target answers", async () => {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (offered) => [...offered].at(-1)!,
    verifyClient: ({ req }, done) => {
      const { origin, cookie } = req.headers
      done(origin === 'https://app.example' && cookie === 'id=1' && req.headers['x-other'] === undefined, 418)
    },
  })
  await once(server, 'listening')
  atEnd(() => server.close())
  const { port } = server.address() as AddressInfo
  const forward = ['origin', 'cookie']
  const running = await serve([], {
    origins: '*',
    routes: [
      { pattern: '/', dialect: 'proxy', proxy: { url: `ws://127.0.0.1:${port}`, forward } },
      { pattern: '/nobody', dialect: 'proxy', proxy: 'ws://127.0.0.1:1' },
    ],
  })
  const headers = { Origin: 'https://app.example', Cookie: 'id=1', 'X-Other': 'stays here' }
  const client = await connect(running.url('/'), { protocols: ['a', 'b'], headers })
  expect(client.socket.protocol).toBe('b')
  const status = async (path: string, cookie: string) => {
    const socket = new WebSocket(running.url(path), { headers: { ...headers, Cookie: cookie } })
    const [, response] = await once(socket, 'unexpected-response')
    socket.on('error', () => {}).terminate()
    return response.statusCode
  }
  expect(await status('/', 'id=2')).toBe(418)
  expect(await status('/nobody', 'id=1')).toBe(502)
})
