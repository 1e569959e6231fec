/** Plain HTTP beside the WebSockets: what dialects answer, and what they leave to others. */

import { writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import type { SwitchboardOptions } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { type Running, serve, serveVite } from './support/server.js'

const events = { stats: '/admin/websocket/stats', health: '/health', adminToken: 'secret' }
const options: SwitchboardOptions = {
  routes: [{ pattern: '/ws', events, dialect: 'events' }],
  feeds: [{ name: 'kills', post: true }],
}

function asker(server: Running) {
  return (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init)
}

for (const [host, start] of [
  ['a server of Node', (given: SwitchboardOptions = options) => serve([], given)],
  ['Vite', (given: SwitchboardOptions = options) => serveVite(given)],
] as const) {
  test(`${host}: statistics count clients and want to see the token`, async () => {
    const server = await start()
    const ask = asker(server)
    await (await connect(server.url('/ws'))).json()
    const headers = { Authorization: 'Bearer secret' }
    const answer = await ask('/admin/websocket/stats?x=1', { headers })
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await answer.json()).toMatchObject({
      success: true,
      data: { enabled: true, connectedClients: 1, proxyConnections: 0 },
    })
    expect((await ask('/admin/websocket/stats')).status).toBe(401)
    const head = await ask('/health', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(await (await ask('/health')).json()).toMatchObject({ status: 'ok' })
  })

  test(`${host}: ADMIN_ENABLED=false switches statistics off, and nothing else`, async () => {
    const ask = asker(await start({ ...options, environment: { ADMIN_ENABLED: 'false' } }))
    const headers = { Authorization: 'Bearer secret' }
    const answer = await ask('/admin/websocket/stats', { headers })
    // It is left to the server, as any path that is not ours.
    expect(answer.headers.get('content-type') ?? '').not.toContain('json')
    expect(await answer.text()).not.toContain('connectedClients')
    expect(await (await ask('/health')).json()).toMatchObject({ status: 'ok' })
  })

  test(`${host}: a body that takes too long is given up`, async () => {
    const server = await start({ ...options, limits: { handshakeTimeout: 300 } })
    const socket = createConnection(server.port, '127.0.0.1')
    socket.write('POST /feeds/kills HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n1')
    let answer = ''
    for await (const chunk of socket) answer += chunk
    expect(answer).toMatch(/^HTTP\/1.1 408 /)
  })

  test(`${host}: a body that is too large is answered, however large it is`, async () => {
    const ask = asker(await start())
    for (const length of [(1 << 20) + 1, 20 << 20]) {
      const answer = await ask('/feeds/kills', { method: 'POST', body: 'x'.repeat(length) })
      expect([answer.status, await answer.json()]).toEqual([413, { error: 'the body has at most 1048576 bytes' }])
    }
    expect((await ask('/feeds/kills', { method: 'POST', body: '1' })).status).toBe(202)
  })
}

test('Vite keeps its pages, its fallback and other methods', async () => {
  const server = await serveVite(options)
  const ask = asker(server)
  writeFileSync(join(server.server.config.root, 'index.html'), '<p>page</p>')
  const accept = { headers: { Accept: 'text/html' } }
  for (const path of ['/', '/ws', '/healthy', '/health/']) {
    expect(await (await ask(path, accept)).text(), path).toContain('<p>page</p>')
  }
  expect((await ask('/health', { method: 'POST' })).status).toBe(404)
  expect((await ask('/health', accept)).headers.get('content-type')).toContain('json')
})
