/** What the log says of connections, at which level, and what nobody served. */

import { type Duplex } from 'node:stream'

import { expect, test } from 'vitest'
import * as vite8 from 'vite'
import * as vite6 from 'vite6'
import * as vite7 from 'vite7'
import type { SwitchboardOptions } from 'vite-plugin-switchboard'
import { WebSocket } from 'ws'

import { connect, refusal } from './support/client.js'
import { atEnd, serve, serveVite } from './support/server.js'

const echo = { pattern: '/echo', dialect: 'echo' as const, subprotocols: ['chat'], compression: { threshold: 1 } }

/** A client that may wait for ever. */
function knock(url: string, protocol?: string): WebSocket {
  const socket = new WebSocket(url, protocol)
  socket.on('error', () => {})
  atEnd(() => socket.terminate())
  return socket
}

for (const [name, vite] of [
  ['6', vite6],
  ['7', vite7],
  ['8', vite8],
] as unknown as [string, typeof vite8][]) {
  test(`Vite ${name}: an upgrade that nobody takes is told with what was probably meant, once`, async () => {
    const server = await serveVite({ wsHandlers: [{ pattern: '/ws/chat/{room}' }] }, { vite })
    const mine = (): string[] => server.lines.filter((line) => line.includes('nobody took'))
    for (let times = 0; times < 3; times++) knock(server.url('/ws/chat/general?token=t0p'))
    knock(server.url('/nowhere'))
    await expect.poll(() => mine().length, { timeout: 10_000 }).toBe(2)
    expect(mine()[0]).toMatch(/^warn .*nobody took \/ws\/chat\/general; did you mean \/api\/ws\/chat\/general\?$/)
    expect(mine()[1]).toMatch(/^warn .*nobody took \/nowhere; its client waits for ever$/)
  })

  test(`Vite ${name}: what Vite, a proxy or another listener takes is not told`, async () => {
    const target = await serve([], { routes: [{ pattern: '/taken/echo', dialect: 'echo' }] })
    const server = await serveVite(
      { wsHandlers: [{ pattern: '/a' }] },
      { vite, server: { proxy: { '/taken': { target: `ws://127.0.0.1:${target.port}`, ws: true } } } },
    )
    const taken: Duplex[] = []
    atEnd(() => taken.forEach((socket) => socket.destroy()))
    server.server.httpServer!.on('upgrade', (request, socket) => {
      if (request.url !== '/mine') return
      taken.push(socket)
      socket.on('close', () => taken.splice(0))
    })
    const proxied = await connect(server.url('/taken/echo'))
    knock(server.url('/'), 'vite-ping')
    knock(server.url('/mine'))
    knock(server.url('/nowhere'))
    await expect.poll(() => server.lines.join('\n'), { timeout: 10_000 }).toContain('nobody took /nowhere')
    expect(server.lines.filter((line) => line.includes('nobody took'))).toHaveLength(1)
    proxied.send('through')
    expect(await proxied.next()).toBe('through')
  })
}

test('a pattern that repeats the prefix, and one that is there twice, are told at the start', async () => {
  const handlers = [{ pattern: '/api/x' }, { pattern: '/y' }, { pattern: '/y' }]
  const { lines } = await serve(handlers)
  await expect.poll(() => lines.length).toBe(2)
  expect(lines[0]).toContain('the pattern /api/x counts below the prefix /api: it serves /api/api/x; write /x to serve /api/x')
  expect(lines[1]).toContain('two routes have the pattern /api/y: only the first one serves it')
})

test.each<[string, SwitchboardOptions]>([
  ['logLevel: debug', { logLevel: 'debug', environment: {} }],
  ['DEBUG=switchboard', { environment: { DEBUG: 'vite:*,switchboard' } }],
])('%s shows connections, messages in short, closes and refusals', async (_, options) => {
  const server = await serve([], { ...options, routes: [echo, { pattern: '/secret', authenticate: true }] })
  const client = await connect(server.url('/echo?token=t0p'), { protocols: ['chat'], perMessageDeflate: true })
  client.send('hello')
  await client.next()
  client.socket.close(4000, 'bye')
  await client.ended
  expect(await refusal(server.url('/secret'))).toBe(401)
  await expect.poll(() => server.lines.join('\n')).toContain('401')
  const lines = server.lines.map((line) => line.replace(/ [0-9a-f]{8} /, ' * '))
  expect(lines).toEqual([
    expect.stringMatching(/^info .*\/echo \* connects from 127\.0\.0\.1: chat, permessage-deflate.*$/),
    expect.stringMatching(/\/echo \* ← text, 5 bytes: hello$/),
    expect.stringMatching(/\/echo \* → text, 5 bytes: hello$/),
    expect.stringMatching(/\/echo \* closed by the client, code 4000, reason "bye"$/),
    expect.stringMatching(/an opening handshake for \/secret is refused with HTTP 401: Unauthorized$/),
  ])
  expect(server.lines.join('\n')).not.toContain('t0p')
})

test('info shows refusals once a second, and nothing of what passes', async () => {
  const server = await serve([], { environment: {}, routes: [echo, { pattern: '/secret', authenticate: true }] })
  const client = await connect(server.url('/echo'))
  client.send('hello')
  await client.next()
  for (let times = 0; times < 5; times++) expect(await refusal(server.url('/secret?token=t0p'))).toBe(401)
  await expect.poll(() => server.lines).toEqual([
    expect.stringMatching(/^info .*an opening handshake for \/secret is refused with HTTP 401: Unauthorized$/),
  ])
})
