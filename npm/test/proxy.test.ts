/** Clients that are connected to another server. */

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'

import { expect, test } from 'vitest'
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws'

import { connect, refusal } from './support/client.js'
import { atEnd, serve, serveVite } from './support/server.js'

/** Another server, which sends everything back, and what it was asked for. */
async function target(options: ServerOptions = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options })
  await once(server, 'listening')
  const sockets: WebSocket[] = []
  const requests: { url: string | undefined; headers: Record<string, unknown> }[] = []
  server.on('connection', (socket, { url, headers }) => {
    sockets.push(socket)
    requests.push({ url, headers })
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    socket.on('error', () => {})
  })
  atEnd(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, requests }
}

/** A port on which nobody listens. */
async function unusedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('text, bytes, path, headers and subprotocol pass in Vite', async () => {
  const { url, requests } = await target({ handleProtocols: (offered) => [...offered][0]! })
  const headers = { 'X-Trace': 'on' }
  const auth = { type: 'bearer', token: '${TOKEN}' } as const
  const server = await serveVite({
    routes: [{ pattern: '/ws/**', dialect: 'proxy', proxy: { url: `${url}/up`, headers, auth, forward: ['cookie'] } }],
    environment: { TOKEN: 'secret' },
  })
  const client = await connect(server.url('/ws/a/b?c=1'), { protocols: ['chat'], headers: { Cookie: 'd=2' } })
  expect(client.socket.protocol).toBe('chat')
  client.send('text')
  client.send(Buffer.from([0, 255]))
  client.send('')
  expect(await client.next()).toBe('text')
  expect(await client.next()).toEqual(Buffer.from([0, 255]))
  expect(await client.next()).toBe('')
  expect(requests[0]!.url).toBe('/up/a/b?c=1')
  expect(requests[0]!.headers).toMatchObject({
    'x-trace': 'on',
    authorization: 'Bearer secret',
    cookie: 'd=2',
    'sec-websocket-protocol': 'chat',
  })
  expect(requests[0]!.headers['sec-websocket-extensions']).toContain('permessage-deflate')
})

test('whoever is refused in the same round as others come is answered', async () => {
  // Where a target answers what is no HTTP, all that happens to its clients happens within a few rounds of Node's loop.
  const garbage = createTcpServer((socket) => socket.on('error', () => {}).end('no HTTP')).listen(0, '127.0.0.1')
  await once(garbage, 'listening')
  atEnd(() => garbage.close())
  const url = `ws://127.0.0.1:${(garbage.address() as AddressInfo).port}`
  const server = await serve({ pattern: '/closed', authenticate: () => false }, { routes: [{ pattern: '/', dialect: 'proxy', proxy: url }] })
  const status = (path: string) => refusal(server.url(path))
  const statuses = await Promise.all(Array.from({ length: 60 }, (_, index) => status(index % 2 ? '/' : '/api/closed')))
  expect(statuses).toEqual(Array.from({ length: 60 }, (_, index) => (index % 2 ? 502 : 401)))
})

test.each([
  [1000, 'done', 1000, 'done'],
  [4001, '', 4001, ''],
  [undefined, '', 1005, ''],
])('the target closes with %s %j', async (code, reason, seen, seenReason) => {
  const { url, sockets } = await target()
  const server = await serve([], { routes: [{ pattern: '/', dialect: 'proxy', proxy: url }] })
  const client = await connect(server.url('/'))
  client.send('a')
  await client.next()
  sockets[0]!.close(code, reason)
  expect(await client.ended).toEqual({ code: seen, reason: seenReason })
})

test('the target sees neither the token that let its client in nor a path but its own', async () => {
  const { url, requests } = await target()
  const authenticate = { token: { query: 'token', values: { DEVTOKEN: {} } } }
  const proxy = { url: `${url}/up?role=reader`, auth: { type: 'bearer', token: 'theirs' } as const }
  const server = await serveVite({ routes: [{ pattern: '/ws/**', dialect: 'proxy', authenticate, proxy }] })
  const client = await connect(server.url('/ws/a?token=DEVTOKEN&role=admin&b=1'))
  client.send('said')
  expect(await client.next()).toBe('said')
  expect(requests[0]!.url).toBe('/up/a?role=reader&b=1')
  // Node's WHATWG parser takes a backslash for a slash.
  for (const path of ['..%5c..%5cadmin', '%2e%2e%2fadmin', '..;/admin', '%252e%252e/admin']) {
    const refused = new WebSocket(server.url(`/ws/${path}?token=DEVTOKEN`))
    const [, response] = await once(refused, 'unexpected-response')
    expect(response.statusCode, path).toBe(400)
    refused.on('error', () => {}).terminate()
  }
  expect(requests).toHaveLength(1)
})

test('the client closes, or is lost', async () => {
  const { url, sockets } = await target()
  const server = await serve([], { routes: [{ pattern: '/', dialect: 'proxy', proxy: url }] })
  for (const [leave, expected] of [
    [(client: WebSocket) => client.close(4002, 'bye'), [4002, 'bye']],
    [(client: WebSocket) => client.terminate(), [1006, '']],
  ] as const) {
    const client = await connect(server.url('/'))
    client.send('a')
    await client.next()
    const closed = once(sockets.at(-1)!, 'close')
    leave(client.socket)
    const [code, reason] = await closed
    expect([code, reason.toString()]).toEqual(expected)
  }
})

test('a target that breaks, refuses, is not there or does not answer costs only its client', async () => {
  const { url, sockets } = await target({ verifyClient: ({ req }: { req: IncomingMessage }) => !req.url!.includes('refused') })
  const mute = createTcpServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  atEnd(() => mute.close())
  const targets = {
    good: url,
    refused: `${url}/refused?token=hidden`,
    nobody: `ws://127.0.0.1:${await unusedPort()}`,
    mute: `ws://127.0.0.1:${(mute.address() as AddressInfo).port}`,
  }
  const server = await serve([], { routes: [{ pattern: '/**', dialect: 'proxy', proxy: { targets, timeout: 200 } }] })
  const good = await connect(server.url('/good'))
  expect(await good.json()).toMatchObject({ type: 'proxy_connected', routeName: 'good' })
  for (const [name, why] of [
    ['nobody', 'the connection to the target failed'],
    ['refused', 'answered 401 Unauthorized instead of 101'],
    ['mute', 'no answer within 200 ms'],
  ] as const) {
    const client = await connect(server.url(`/${name}`))
    const { error } = await client.json()
    expect(error).toContain(why)
    expect(error).not.toMatch(/hidden|127\.0\.0\.1/)
    expect(await client.ended).toEqual({ code: 1011, reason: 'Proxy error' })
  }
  // Where the target is, the log alone says: of the first failure in a second.
  expect(server.lines.join('\n')).toContain('ECONNREFUSED')
  const broken = await connect(server.url('/good'))
  await broken.json()
  sockets.at(-1)!.terminate()
  expect((await broken.ended).code).toBe(1011)

  good.send('still here')
  expect(await good.next()).toBe('still here')
})

test('a message larger than maxPayload breaks the connection', async () => {
  const { url, sockets } = await target()
  const server = await serve([], { routes: [{ pattern: '/', dialect: 'proxy', proxy: url, maxPayload: 1000 }] })
  const client = await connect(server.url('/'))
  client.send('a')
  await client.next()
  sockets[0]!.send('x'.repeat(1001))
  expect((await client.ended).code).toBe(1011)
  expect(server.lines.join('\n')).toContain('Max payload size exceeded')
})

test('targets hear a close when the server stops', async () => {
  const { url, sockets } = await target()
  const server = await serve([], { routes: [{ pattern: '/', dialect: 'proxy', proxy: url }] })
  const client = await connect(server.url('/'))
  client.send('a')
  await client.next()
  const closed = once(sockets[0]!, 'close')
  await server.stop()
  expect((await closed)[0]).toBe(1001)
  expect((await client.ended).code).toBe(1001)
})

test('functions see, change and drop what passes, in its order', async () => {
  const { url } = await target()
  const server = await serve([], {
    routes: [
      {
        pattern: '/',
        dialect: 'proxy',
        proxy: {
          url,
          onClientMessage: async (message, connection) => {
            if (typeof message !== 'string') return Buffer.concat([message, Buffer.from([9])])
            connection.metadata.count = (connection.metadata.count ?? 0) + 1
            if (message === 'slow') await new Promise((resolve) => setImmediate(resolve))
            if (message === 'throw') throw new Error('no')
            return message !== 'drop'
          },
          onTargetMessage: (message, { metadata }) => (typeof message === 'string' ? `${message} ${metadata.count}` : undefined),
        },
      },
    ],
  })
  const client = await connect(server.url('/'))
  for (const message of ['slow', 'drop', 'throw', 'fast']) client.send(message)
  client.send(Buffer.from([1]))
  expect(await client.next()).toMatch(/^slow \d$/)
  expect(await client.next()).toBe('fast 4')
  expect(await client.next()).toEqual(Buffer.from([1, 9]))
})

test('a variable that is not there is named', async () => {
  const routes = [{ pattern: '/', proxy: { url: 'ws://${NO_SUCH}/' } }]
  await expect(serve([], { routes, environment: {} })).rejects.toThrow(
    'routes[0].proxy.url: there is no variable NO_SUCH in the environment',
  )
})
