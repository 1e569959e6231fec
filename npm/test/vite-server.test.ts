/** Living in Vite's servers: preview, middleware mode, restart, addresses, other people's upgrades. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'
import { createServer as createVite, preview, type PreviewServer } from 'vite'
import { preview as preview7 } from 'vite7'
import { preview as preview6 } from 'vite6'
import { switchboard, upgrade } from 'vite-plugin-switchboard'
import { WebSocket, WebSocketServer } from 'ws'

import { connect, refusal } from './support/client.js'
import { atEnd, folder, serveVite, signal, viteLogger } from './support/server.js'

const options = {
  wsHandlers: [{ pattern: '/echo', onMessage: (connection: any, message: unknown) => connection.send(message) }],
}

async function expectEcho(url: string): Promise<void> {
  const client = await connect(url)
  client.send('hello')
  expect(await client.next()).toBe('hello')
}

async function servePreview(more = {}, start: unknown = preview): Promise<{ server: PreviewServer; url: string }> {
  const server = await (start as typeof preview)({
    configFile: false,
    root: folder(),
    plugins: [switchboard({ ...options, ...more })],
    customLogger: viteLogger([]),
    preview: { host: '127.0.0.1', port: 0 },
  })
  atEnd(() => server.close())
  return { server, url: `ws://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}/api/echo` }
}

test.each([['8', preview], ['7', preview7], ['6', preview6]])('the preview server of Vite %s serves too', async (_, start) => {
  const { server, url } = await servePreview({}, start)
  await expectEcho(url)
  const client = await connect(url)
  await server.close()
  expect((await client.ended).code).toBe(1001)
})

test.each([['8', preview], ['7', preview7], ['6', preview6]])('so do the plain HTTP paths in the preview of Vite %s', async (_, start) => {
  const routes = [{ pattern: '/ws', dialect: 'events' as const, events: { health: '/health' } }]
  const { url } = await servePreview({ routes }, start)
  const answer = await fetch(new URL('/health', url.replace('ws:', 'http:')))
  expect(await answer.json()).toMatchObject({ status: 'ok' })
})

test('unless it is told not to', async () => {
  const { url } = await servePreview({ enablePreview: false })
  const socket = new WebSocket(url)
  atEnd(() => socket.terminate())
  socket.on('open', () => expect.unreachable())
  socket.on('error', () => {})
  const plain = await fetch(url.replace('ws:', 'http:'))
  expect(plain.status).toBeLessThan(500)
})

test.each(['upgrade', 'api.upgrade'])('in middleware mode %s forwards', async (way) => {
  const plugin = switchboard(options)
  const vite = await createVite({
    configFile: false,
    root: folder(),
    plugins: [plugin],
    customLogger: viteLogger([]),
    server: { middlewareMode: true, ws: false, watch: null },
  })
  const server = createServer(vite.middlewares)
  const claims: boolean[] = []
  server.on('upgrade', (request, socket, head) => {
    const claimed = (way === 'upgrade' ? upgrade : plugin.api.upgrade)(request, socket, head)
    claims.push(claimed)
    if (!claimed) socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => server.close())
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  await expectEcho(`${url}/api/echo`)
  expect(await refusal(`${url}/other`)).toBe(418)
  expect(claims).toEqual([true, false])
  const client = await connect(`${url}/api/echo`)
  await vite.close()
  expect((await client.ended).code).toBe(1001)
})

test('a restart keeps who is connected, and serves again', async () => {
  const server = await serveVite(options)
  const client = await connect(server.url('/api/echo'))
  await server.server.restart()
  client.send('still here')
  expect(await client.next()).toBe('still here')
  const { port } = server.server.httpServer!.address() as AddressInfo
  await expectEcho(`ws://127.0.0.1:${port}/api/echo`)
  const last = await connect(`ws://127.0.0.1:${port}/api/echo`)
  await server.server.close()
  expect([(await client.ended).code, (await last.ended).code]).toEqual([1001, 1001])
})

test('the addresses stand with Vite’s', async () => {
  const server = await serveVite(options, { base: '/app/' })
  server.server.printUrls()
  const lines = server.lines.join('\n')
  expect(lines).toContain(`ws://127.0.0.1:${server.port}/api/echo`)
})

test('with a base, hot updates and handlers do not meet', async () => {
  const server = await serveVite(options, { base: '/api/' })
  const page = new WebSocket(server.url('/api/'), 'vite-hmr')
  const first = await new Promise<string>((resolve) => page.once('message', (data) => resolve(data.toString())))
  expect(JSON.parse(first)).toEqual({ type: 'connected' })
  page.terminate()
  await expectEcho(server.url('/api/echo'))
})

test('vite-ping is Vite’s', async () => {
  const server = await serveVite({ wsHandlers: [{ pattern: '/**' }] }, { base: '/api/' })
  const ping = new WebSocket(server.url('/api/'), 'vite-ping')
  const code = await new Promise<number>((resolve) => ping.once('close', resolve))
  expect(code).toBe(1000)
})

test('other upgrades reach their own listeners untouched', async () => {
  const server = await serveVite(options)
  const foreign = new WebSocketServer({ noServer: true })
  const listeners = signal<number[]>()
  server.server.httpServer!.on('upgrade', (request, socket, head) => {
    if (request.url !== '/foreign') return
    listeners.resolve([socket.listenerCount('data'), socket.listenerCount('close')])
    foreign.handleUpgrade(request, socket, head, (ws) => ws.send('foreign'))
  })
  const client = await connect(server.url('/foreign'))
  expect(await client.next()).toBe('foreign')
  expect((await listeners.promise)[0]).toBe(0)
})

test('the configuration of vite-plugin-universal-api runs', async () => {
  const closed = signal<string>()
  const server = await serveVite({
    endpointPrefix: '/api',
    enableWs: true,
    wsHandlers: [
      {
        pattern: '/ws/chat',
        heartbeat: 30_000,
        compression: { enabled: true, threshold: 1024 },
        onConnect: (conn) => {
          conn.send({ type: 'connected', id: conn.id, ip: conn.req.socket.remoteAddress })
        },
        onMessage: (conn, data) => {
          switch (data.type) {
            case 'join-room':
              conn.joinRoom(data.room)
              conn.broadcast({ type: 'user-joined', username: data.username }, { rooms: [data.room], includeSelf: false })
              break
            case 'message':
              conn.broadcast({ type: 'chat-message', text: data.text }, { rooms: [data.room], includeSelf: true })
              break
          }
        },
        onClose: (conn, code, reason) => {
          closed.resolve(`${code} ${reason}`)
          conn.broadcast({ type: 'user-left', userId: conn.id })
        },
      },
    ],
  })
  const [ada, bob] = [await connect(server.url('/api/ws/chat')), await connect(server.url('/api/ws/chat'))]
  expect(await ada.json()).toEqual({ type: 'connected', id: expect.any(String), ip: '127.0.0.1' })
  const { id } = await bob.json()
  ada.send({ type: 'join-room', room: 'r', username: 'Ada' })
  ada.send({ type: 'message', room: 'r', text: 'alone' })
  expect(await ada.json()).toEqual({ type: 'chat-message', text: 'alone' })
  bob.send({ type: 'join-room', room: 'r', username: 'Bob' })
  expect(await ada.json()).toEqual({ type: 'user-joined', username: 'Bob' })
  ada.send({ type: 'message', room: 'r', text: 'together' })
  expect(await bob.json()).toEqual({ type: 'chat-message', text: 'together' })
  expect(await ada.json()).toEqual({ type: 'chat-message', text: 'together' })
  await bob.close()
  expect(await closed.promise).toBe('1000 ')
  expect(await ada.json()).toEqual({ type: 'user-left', userId: id })
})
