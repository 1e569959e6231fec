/** What options mean, and what is said about wrong ones. */

import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import * as everything from 'vite-plugin-switchboard'
import { createSwitchboard, type SwitchboardOptions } from 'vite-plugin-switchboard'

import { connect, refusal } from './support/client.js'
import { collect, folder, serve, serveVite } from './support/server.js'

/** Posts to a feed under this `Host`, and gives the status. */
function publish(port: number, path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { host, 'content-type': 'application/json' }
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject).end('[1]')
  })
}

const echo = { onMessage: (connection: any, message: unknown) => connection.send(message) }

test('one function under all its names', () => {
  const { switchboard, universalApi, universalApiPlugin } = everything
  expect(new Set([everything.default, switchboard, universalApi, universalApiPlugin]).size).toBe(1)
  const plugin = switchboard()
  expect([plugin.name, plugin.apply]).toEqual(['vite-plugin-switchboard', 'serve'])
})

test.each<[string, unknown, string]>([
  ['an unknown option', { wsHandler: [] }, 'wsHandler: unknown key; did you mean "wsHandlers"?'],
  ['an unknown key of a handler', { wsHandlers: [{ pattern: '/a' }, { pattern: '/b', heartbaet: 1 }] }, 'wsHandlers[1].heartbaet: unknown key; did you mean "heartbeat"?'],
  ['an unknown function of a handler', { wsHandlers: [{ pattern: '/', onMesage: () => {} }] }, 'wsHandlers[0].onMesage: unknown key; did you mean "onMessage"?'],
  ['a wrong type', { wsHandlers: [{ pattern: '/', heartbeat: 'often' }] }, 'wsHandlers[0].heartbeat: expected'],
  ['no pattern', { wsHandlers: [{}] }, 'wsHandlers[0]: the key "pattern" is missing'],
  ['a regular expression that is not closed', { wsHandlers: [{ pattern: '/ws/{id:[}' }] }, 'wsHandlers[0].pattern: pattern "/ws/{id:[}", character 9: this "[" of a regular expression is never closed'],
  ['a bad pattern', { wsHandlers: [{ pattern: '/{a' }] }, 'wsHandlers[0].pattern'],
  ['a callback that is none', { wsHandlers: [{ pattern: '/', onMessage: 'x' }] }, 'wsHandlers[0].onMessage: expected a function, got text'],
  ['no list', { wsHandlers: {} }, 'wsHandlers: expected a list'],
  ['no object', { wsHandlers: [null] }, 'wsHandlers[0]: expected an object'],
  ['a wrong limit', { wsHandlers: [], limits: { maxConnections: 0 } }, 'limits.maxConnections'],
  ['a wrong route', { routes: [{ pattern: '/', dialect: 'eco' }] }, 'routes[0].dialect'],
  ['mixed responses', { wsHandlers: [{ pattern: '/', responses: [{ match: {}, response: () => 1 }] }] }, 'wsHandlers[0].responses[0].match: expected a function'],
  ['no file', { config: 'nowhere.toml' }, 'config: cannot read'],
  ['an unknown kind of file', { config: 'package.yaml' }, 'config:'],
])('%s stops the start', (_, options, message) => {
  expect(() => createSwitchboard(options as SwitchboardOptions)).toThrow(`[switchboard] ${message}`)
})

test('a wrong option stops Vite', async () => {
  await expect(serveVite({ wsHandlers: [{ pattern: '/', heartbaet: 1 } as never] })).rejects.toThrow('heartbeat')
})

test('options that are undefined are not there', async () => {
  const server = await serve({ pattern: '/', heartbeat: undefined, authenticate: undefined, onClose: undefined })
  await connect(server.url('/api/'))
})

test('HTTP options are accepted with one line', () => {
  const lines: string[] = []
  createSwitchboard({ fsDir: 'mock', gatewayTimeout: 1, handlers: [], wsHandlers: [], logger: collect(lines) } as never)
  expect(lines).toEqual([expect.stringMatching(/^warn .*fsDir, gatewayTimeout, handlers$/)])
})

test.each<[string, object]>([
  ['disable', { disable: true }],
  ['enableWs: false', { enableWs: false }],
])('%s leaves all upgrades alone', async (_, options) => {
  const server = await serve({ pattern: '/', ...echo }, options)
  server.server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n'))
  expect(await refusal(server.url('/api/'))).toBe(418)
})

test('a disabled handler is as if it were not there', async () => {
  const server = await serve([
    { pattern: '/**', disabled: true },
    { pattern: '/a', ...echo },
  ])
  expect(await refusal(server.url('/api/b'))).toBe(404)
  await connect(server.url('/api/a'))
})

test('prefixes, with slashes or without', async () => {
  const server = await serve({ pattern: '/a', ...echo }, { endpointPrefix: ['mock', '/v1/api/', '', '/'] })
  expect(server.switchboard.patterns).toEqual(['/mock/a', '/v1/api/a'])
  await connect(server.url('/mock/a'))
  await connect(server.url('/v1/api/a?x=1'))
  expect(await refusal(server.url('/v1/api/b'))).toBe(404)
})

test('without a prefix wsHandlers serve nothing, and that is said', () => {
  const lines: string[] = []
  const { patterns } = createSwitchboard({ endpointPrefix: '/', wsHandlers: [{ pattern: '/a' }], logger: collect(lines) })
  expect(patterns).toEqual([])
  expect(lines[0]).toContain('endpointPrefix')
})

test('routes without code: echo, relay and rules', async () => {
  const server = await serve([], {
    routes: [
      { pattern: '/echo', dialect: 'echo' },
      { pattern: '/relay/{room}', dialect: 'relay', room: '{connection.params.room}' },
      { pattern: '/ask', prefix: '/rules', rules: [{ match: { type: 'ping' }, do: [{ reply: { type: 'pong' } }] }] },
    ],
  })
  expect(server.switchboard.patterns).toEqual(['/echo', '/relay/{room}', '/rules/ask'])
  const one = await connect(server.url('/echo'))
  one.send('{"a": 1}')
  one.send(Buffer.from([1]))
  expect([await one.next(), await one.next()]).toEqual(['{"a": 1}', Buffer.from([1])])

  const [a, b] = [await connect(server.url('/relay/x')), await connect(server.url('/relay/x'))]
  a.send('to b')
  expect(await b.next()).toBe('to b')

  const asker = await connect(server.url('/rules/ask'))
  asker.send({ type: 'ping' })
  expect(await asker.json()).toEqual({ type: 'pong' })
})

test('a route without code can have callbacks that watch it and admit', async () => {
  const seen: unknown[] = []
  const server = await serve([], {
    routes: [
      {
        pattern: '/echo',
        dialect: 'echo',
        authenticate: ({ url }) => url!.includes('ok'),
        onMessage: (_, message) => void seen.push(message),
      },
    ],
  })
  expect(await refusal(server.url('/echo'))).toBe(401)
  const client = await connect(server.url('/echo?ok'))
  client.send('x')
  expect(await client.next()).toBe('x')
  expect(seen).toEqual(['x'])
})

test.each([
  ['toml', '[[routes]]\npattern = "/from-file"\ndialect = "echo"\n', 'x = 1'],
  ['json', '{"routes":[{"pattern":"/from-file","dialect":"echo"}]}', '{"x":1}'],
])('a %s file, below Vite’s root', async (extension, text, wrong) => {
  const root = folder()
  writeFileSync(join(root, `switchboard.${extension}`), text)
  writeFileSync(join(root, `wrong.${extension}`), wrong)
  const server = await serveVite({ config: `switchboard.${extension}`, wsHandlers: [{ pattern: '/a' }] }, { root })
  const client = await connect(server.url('/from-file'))
  client.send('x')
  expect(await client.next()).toBe('x')
  await connect(server.url('/api/a'))
  await expect(serveVite({ config: `wrong.${extension}` }, { root })).rejects.toThrow(`wrong.${extension}: x: unknown key`)
})

test('subprotocols: the client’s first among ours', async () => {
  const server = await serve({ pattern: '/', subprotocols: ['b', 'a'], onConnect: (connection) => connection.send(connection.subprotocol) })
  const client = await connect(server.url('/api/'), { protocols: ['x', 'a', 'b'] })
  expect(client.socket.protocol).toBe('a')
  expect(await client.next()).toBe('a')
})

test('subprotocols: where nothing is said, the client’s first', async () => {
  const server = await serve({ pattern: '/', onConnect: (connection) => connection.send(connection.subprotocol) })
  const client = await connect(server.url('/api/'), { protocols: ['x', 'a'] })
  expect(client.socket.protocol).toBe('x')
  expect(await client.next()).toBe('x')
})

test('limits hold', async () => {
  const server = await serve({ pattern: '/' }, { limits: { maxConnections: 1 } })
  const client = await connect(server.url('/api/'))
  expect(await refusal(server.url('/api/'))).toBe(503)
  await client.close()
})

test('logLevel says how much', async () => {
  for (const [logLevel, count] of [['silent', 0], ['error', 0], ['warn', 1]] as const) {
    const server = await serve({ pattern: '/a' }, { logLevel })
    await refusal(server.url('/api/b'))
    expect(server.lines.length).toBe(count)
  }
})

test('feeds reach their routes', async () => {
  const server = await serve([], {
    feeds: [{ name: 'kills' }],
    routes: [{ pattern: '/feed', dialect: 'actions', actions: { channels: [{ name: 'killstream', feed: 'kills' }] } }],
  })
  const client = await connect(server.url('/feed'))
  client.send({ action: 'sub', channel: 'killstream' })
  client.socket.ping()
  await new Promise((resolve) => client.socket.once('pong', resolve))
  server.switchboard.publish('kills', { id: 1 })
  expect(await client.json()).toMatchObject({ id: 1 })
})

test("strange pages are refused, whatever Vite's allowedHosts, unless origins has them", async () => {
  const headers = { origin: 'https://evil.example' }
  const strict = await serveVite({ wsHandlers: [{ pattern: '/' }] })
  expect(await refusal(strict.url('/api/'), { headers })).toBe(403)
  await connect(strict.url('/api/'), { headers: { origin: `http://127.0.0.1:${strict.port}` } })
  for (const allowedHosts of [true, ['.example']] as const) {
    const vites = await serveVite({ wsHandlers: [{ pattern: '/' }] }, { server: { allowedHosts: allowedHosts as true } })
    expect(await refusal(vites.url('/api/'), { headers })).toBe(403)
  }
  const own = await serveVite({ origins: 'https://*.example', wsHandlers: [{ pattern: '/' }] })
  await connect(own.url('/api/'), { headers })
})

test('pages may come under the hosts that Vite or the options allow, and no others', async () => {
  const under = (host: string) => ({ headers: { host, origin: `http://${host}` } })
  const feeds = [{ name: 'news', post: true }]
  const strict = await serveVite({ feeds, wsHandlers: [{ pattern: '/' }] })
  expect(await refusal(strict.url('/api/'), under('evil.example:5173'))).toBe(403)
  expect(strict.lines.filter((line) => line.includes('allowedHosts = ["evil.example"]'))).toHaveLength(1)
  for (const host of ['localhost:1', 'a.localhost', '192.168.0.1:5173']) await connect(strict.url('/api/'), under(host))
  await connect(strict.url('/api/'), { headers: { host: 'any.name' } })
  const vites = await serveVite({ wsHandlers: [{ pattern: '/' }] }, { server: { allowedHosts: ['.corp.example'] } })
  await connect(vites.url('/api/'), under('a.corp.example'))
  await connect(vites.url('/api/'), under('corp.example:81'))
  expect(await refusal(vites.url('/api/'), under('evil.example'))).toBe(403)
  const all = await serveVite({ wsHandlers: [{ pattern: '/' }] }, { server: { allowedHosts: true } })
  await connect(all.url('/api/'), under('evil.example'))
  const own = await serveVite({ allowedHosts: ['phone.example'], wsHandlers: [{ pattern: '/' }] })
  await connect(own.url('/api/'), under('phone.example'))
  expect(await refusal(own.url('/api/'), under('a.phone.example'))).toBe(403)
  const attached = await serve([], { feeds, allowedHosts: ['box.lan'] })
  const post = (host: string) => publish(attached.port, '/feeds/news', host)
  expect(await post('evil.example')).toBe(403)
  expect(await post('box.lan')).toBe(202)
})
