/** What attaching to a server does to it, and that closing undoes all of it. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { connect as connectTls } from 'node:tls'

import { expect, test } from 'vitest'
import * as vite8 from 'vite'
import { attach, createSwitchboard, switchboard, upgrade } from 'vite-plugin-switchboard'

import { certificate } from './support/certificate.js'
import { connect, dial, handshake, raw, refusal } from './support/client.js'
import { atEnd, collect, folder, serveVite, signal, viteLogger } from './support/server.js'

const options = { wsHandlers: [{ pattern: '/' }], logger: collect([]) }

async function listen(server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown; close(): unknown }): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  atEnd(() => void server.close())
  return (server.address() as AddressInfo).port
}

function listeners(server: Server): Record<string, number> {
  return Object.fromEntries(server.eventNames().map((name) => [String(name), server.listenerCount(name)]))
}

/** A request that offers an upgrade that is nobody's here, and asks for the end of the connection. */
const offer = (path: string, protocol = 'websocket') =>
  handshake(path, { Upgrade: protocol, Connection: 'Upgrade, close', 'X-Name': 'ü' })

test.each(['http', 'https'])('over %s an upgrade that nobody takes is answered as a plain request', async (scheme) => {
  const shown = signal<IncomingMessage>()
  const page = (request: IncomingMessage, response: any) => {
    shown.resolve(request)
    response.end(`page ${request.url}`)
  }
  const server = scheme === 'http' ? createServer(page) : createHttpsServer(certificate, page)
  attach(server, options)
  const port = await listen(server)
  let answer: string
  if (scheme === 'http') {
    answer = await raw(port, offer('/other?a', 'h2c'))
  } else {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.write(offer('/other?a', 'h2c'), 'latin1')
    answer = ''
    for await (const chunk of socket) answer += chunk
  }
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK[^]*page \/other\?a/)
  const request = await shown.promise
  expect([request.headers.upgrade, request.headers['x-name']]).toEqual(['h2c', 'ü'])
})

test('the connection of such a request serves further ones, an upgrade of ours too', async () => {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => response.end(`<${request.method} ${body}>`))
  })
  attach(server, options)
  const port = await listen(server)
  const post = handshake('/other').replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 5\r\n\r\n')
  const socket = connectTcp(port, '127.0.0.1')
  atEnd(() => socket.destroy())
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
  socket.write(`${post}12345`)
  while (!answer.includes('<POST 12345>')) await once(socket, 'data')
  socket.write(handshake('/api/'))
  while (!answer.includes('101 Switching')) await once(socket, 'data')
})

test('such a request that is reset ends neither the process nor the server', async () => {
  const uncaught: unknown[] = []
  const listener = (error: unknown) => void uncaught.push(error)
  process.on('uncaughtException', listener)
  atEnd(() => process.off('uncaughtException', listener))
  const server = createServer()
  const board = attach(server, options)
  server.on('upgrade', () => {})
  const port = await listen(server)
  for (let count = 0; count < 20; count++) {
    const socket = connectTcp(port, '127.0.0.1')
    await once(socket, 'connect')
    const [[request]] = await Promise.all([once(server, 'upgrade') as Promise<[IncomingMessage]>, socket.write(handshake('/other'))])
    const gone = new Promise((resolve) => request.socket.once('close', resolve))
    request.socket.resume()
    socket.resetAndDestroy()
    await gone
  }
  const closed = once(server, 'close')
  await board.close()
  server.close()
  await closed
  expect(uncaught).toEqual([])
})

test('where nobody listens for requests either, the answer is 404', async () => {
  const server = createServer()
  attach(server, options)
  expect(await raw(await listen(server), offer('/other'))).toMatch(/^HTTP\/1\.1 404/)
})

test.each([[{ ws: false as const }, 200], [{}, 0]])('Vite with server %o: what is not ours is Vite’s', async (server, status) => {
  const { port } = await serveVite({ wsHandlers: [{ pattern: '/' }] }, { server: { ...server, middlewareMode: false }, appType: 'spa' })
  if (status === 0) {
    // Vite's own listener has it, and leaves it alone.
    const socket = connectTcp(port, '127.0.0.1')
    socket.write(offer('/other'))
    await once(socket, 'connect')
    socket.resetAndDestroy()
  } else {
    expect(await raw(port, offer('/other'))).toMatch(/^HTTP\/1\.1 (200|404)/)
  }
  await connect(`ws://127.0.0.1:${port}/api/`)
})

test('what attaching and closing leave on a server is nothing, however they overlap', async () => {
  const server = createServer((_, response) => response.end())
  const { emit } = server
  const before = listeners(server)
  const warnings: unknown[] = []
  const warned = (warning: unknown) => void warnings.push(warning)
  process.on('warning', warned)
  atEnd(() => process.off('warning', warned))
  let last = attach(server, options)
  const attached = server.emit
  for (let count = 0; count < 30; count++) {
    const next = attach(server, options)
    await last.close()
    last = next
    // Nothing is put in front of what is there.
    expect(server.emit).toBe(attached)
  }
  const port = await listen(server)
  await connect(`ws://127.0.0.1:${port}/api/`).then((client) => client.close())
  await last.close()
  expect(listeners(server)).toEqual({ ...before, ...Object.fromEntries(['listening'].map((name) => [name, server.listenerCount(name)]).filter(([, count]) => count !== 0)) })
  expect([server.emit === emit, Object.hasOwn(server, 'emit')]).toEqual([true, false])
  expect(warnings).toEqual([])
})

test('somebody who replaces emit in between keeps it', async () => {
  const server = createServer()
  const board = attach(server, options)
  const seen: string[] = []
  const { emit } = server
  server.emit = function (this: Server, event: string, ...args: any[]) {
    seen.push(event)
    return Reflect.apply(emit, this, [event, ...args])
  } as typeof server.emit
  await board.close()
  const again = attach(server, options)
  const port = await listen(server)
  await connect(`ws://127.0.0.1:${port}/api/`)
  expect(seen).toContain('upgrade')
  await again.close()
})

test('with the HTTP server everything ends', async () => {
  const server = createServer()
  const board = attach(server, { ...options, feeds: [{ name: 'ticks', interval: { every: 10, values: [1] } }], routes: [{ pattern: '/t', dialect: 'topics', topics: { feed: 'ticks' } }] })
  await listen(server)
  expect(board.stats().timers).toBeGreaterThan(0)
  const closed = once(server, 'close')
  server.close()
  await closed
  expect(board.stats()).toMatchObject({ connections: 0, rooms: 0, timers: 0, calls: 0, upstreams: 0 })
  expect(server.listenerCount('upgrade')).toBe(0)
})

test('two attachments with the same prefix serve the routes of both', async () => {
  const server = createServer()
  const boards = ['/a', '/b'].map((pattern) => attach(server, { wsHandlers: [{ pattern }], logger: collect([]) }))
  const port = await listen(server)
  for (const path of ['/a', '/b']) await connect(`ws://127.0.0.1:${port}/api${path}`).then((client) => client.close())
  expect(await refusal(`ws://127.0.0.1:${port}/api/c`)).toBe(404)
  for (const board of boards) await board.close()
})

test('it is disposed of at the end of a block', async () => {
  const server = createServer()
  {
    await using board = attach(server, options)
    expect(board.patterns).toEqual(['/api/'])
  }
  expect(server.listenerCount('upgrade')).toBe(0)
})

test('an answer to an earlier request comes before the 101', async () => {
  const responses: { end(text: string): void }[] = []
  const server = createServer((_, response) => responses.push(response))
  attach(server, options)
  const port = await listen(server)
  const socket = connectTcp(port, '127.0.0.1')
  atEnd(() => socket.destroy())
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
  const upgraded = once(server, 'connection').then(([peer]: Socket[]) => peer)
  socket.write(`GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n${handshake('/api/')}`)
  await upgraded
  // Rounds enough for a 101 that does not wait.
  for (let rounds = 0; responses.length < 2 || rounds < 5; rounds++) await new Promise((resolve) => setImmediate(resolve))
  responses[1]!.end('second')
  responses[0]!.end('first')
  while (!answer.includes('101 Switching')) await once(socket, 'data')
  const [first, second, third] = ['first', 'second', '101 Switching'].map((text) => answer.indexOf(text))
  expect(first).toBeGreaterThan(0)
  expect(second).toBeGreaterThan(first!)
  expect(third).toBeGreaterThan(second!)
})

test('HTTP/2 without a listener for requests is answered', async () => {
  const server = createHttp2Server()
  const board = attach(server as never, { feeds: [{ name: 'ticks', post: true }], routes: [{ pattern: '/t', dialect: 'topics', topics: { feed: 'ticks' } }], logger: collect([]) })
  const port = await listen(server as never)
  const client = connectHttp2(`http://127.0.0.1:${port}`)
  atEnd(() => client.destroy())
  const status = async (headers: Record<string, string>, body = '') => {
    const request = client.request(headers, { endStream: body === '' })
    if (body !== '') request.end(body)
    const [{ ':status': code }] = (await once(request, 'response')) as [{ ':status': number }]
    request.resume()
    return code
  }
  expect(await status({ ':path': '/feeds/ticks', ':method': 'POST' }, '1')).toBeLessThan(300)
  expect(await status({ ':path': '/other' })).toBe(404)
  await board.close()
})

test('an upgrade of a socket that is gone leaves nothing behind', async () => {
  const calls: string[] = []
  const server = createServer()
  const board = createSwitchboard({
    wsHandlers: [{ pattern: '/', onConnect: () => void calls.push('connect'), onClose: () => void calls.push('close') }],
    limits: { maxConnections: 2 },
    logger: collect([]),
  })
  const forwarded = signal()
  let count = 0
  server.on('upgrade', (request, socket, head) => {
    socket.once('close', () => {
      expect(board.upgrade(request, socket, head)).toBe(false)
      if (++count === 5) forwarded.resolve()
    })
    socket.destroy()
  })
  const port = await listen(server)
  for (let index = 0; index < 5; index++) {
    const socket = connectTcp(port, '127.0.0.1')
    socket.write(handshake('/api/'))
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('close', resolve))
  }
  await forwarded.promise
  expect(calls).toEqual([])
  expect(board.stats().connections).toBe(0)
  await board.close()
})

test('a socket that closes between its refusal and the answer is counted once', async () => {
  const server = createServer()
  const board = createSwitchboard(options)
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/api/') return void board.upgrade(request, socket, head)
    // Its `close` comes before the next round of the loop, a TCP socket's after it.
    const other = new PassThrough()
    expect(board.upgrade(request, other, head)).toBe(true)
    other.destroy()
    socket.destroy()
  })
  const port = await listen(server)
  const client = await connect(`ws://127.0.0.1:${port}/api/`)
  for (let index = 0; index < 5; index++) await dial(`ws://127.0.0.1:${port}/api/unknown`).ended
  const closed = board.close()
  expect((await client.ended).code).toBe(1001)
  await closed
})

test('a restart of Vite that another plugin prevents leaves the old server, and only it', async () => {
  let fails = false
  const root = folder()
  const lines: string[] = []
  let connections = 0
  const server = await vite8.createServer({
    configFile: false,
    root,
    customLogger: viteLogger(lines),
    server: { middlewareMode: true, ws: false, watch: null },
    plugins: [
      switchboard({ wsHandlers: [{ pattern: '/', onConnect: () => void connections++ }] }),
      {
        name: 'fails',
        configureServer() {
          if (fails) throw new Error('not now')
        },
      },
    ],
  })
  atEnd(() => server.close())
  const http = createServer()
  http.on('upgrade', (request, socket, head) => {
    if (!upgrade(request, socket, head)) socket.destroy()
  })
  const port = await listen(http)
  await connect(`ws://127.0.0.1:${port}/api/`)
  fails = true
  await server.restart().catch(() => {})
  const client = await connect(`ws://127.0.0.1:${port}/api/`)
  expect(connections).toBe(2)
  await server.close()
  expect((await client.ended).code).toBe(1001)
  await expect(connect(`ws://127.0.0.1:${port}/api/`)).rejects.toThrow()
})
