/** Sockets outlive Vite's restarts. */

import { once } from 'node:events'
import { cpSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import type { ViteDevServer } from 'vite'
import { describe, expect, test } from 'vitest'
import type { PluginApi } from 'vite-plugin-switchboard'

import { certificate } from './support/certificate.js'
import { connect } from './support/client.js'
import { configuration, Project, versions } from './support/project.js'
import { atEnd, viteLogger } from './support/server.js'

/** For machines that do other things too. */
const PATIENT = { timeout: 10_000 }

/** A handler whose answers show which configuration it is of, and what is known of the connection. */
const answering = (version: string | number): string => `{
  wsHandlers: [{
    pattern: '/chat/{room}',
    authenticate: () => ({ success: true, data: { name: 'ada' } }),
    onConnect: (conn, req) => conn.joinRoom(req.params.room),
    onMessage(conn, data) {
      conn.metadata.count = (conn.metadata.count ?? 0) + 1
      conn.send(['${version}', data, conn.metadata.count, conn.authData.name, conn.req.params.room, conn.getRooms()].join())
    },
    onClose: () => console.log('closed'),
  }],
}`

const schemes = ['http', 'https'] as const
const cases = versions.flatMap(([version, vite]) => schemes.map((scheme) => [version, scheme, vite] as const))

describe.each(cases)('Vite %s over %s', (_, scheme, vite) => {
  const server = scheme === 'https' ? `https: ${JSON.stringify(certificate)},` : ''
  const url = (project: Project, path: string): string => project.url(path).replace(/^ws/, scheme.replace('http', 'ws'))
  const config = (options: string, more = server): string => configuration(options, '', more)

  async function serve(options = answering(0)): Promise<Project> {
    const project = new Project()
    project.write('vite.config.mjs', config(options))
    await project.start(vite)
    return project
  }

  test('an edited configuration is live, and the connection goes on', async () => {
    const project = await serve()
    const client = await connect(url(project, '/api/chat/tea'), { rejectUnauthorized: false })
    for (let version = 1; version <= 10; version++) {
      await project.restarted(() => project.save('vite.config.mjs', config(answering(version))))
      client.send('hello')
      await project.logged('the server has restarted')
      expect(await client.next()).toBe(`${version},hello,${version},ada,tea,tea`)
    }
    const late = await connect(url(project, '/api/chat/tea'), { rejectUnauthorized: false })
    late.send('me too')
    expect(await late.next()).toBe('10,me too,1,ada,tea,tea')
    expect(client.socket.readyState).toBe(client.socket.OPEN)
    await project.server.close()
    expect([(await client.ended).code, (await late.ended).code]).toEqual([1001, 1001])
  })

  test('a large reply that waits arrives whole, over a restart', async () => {
    const large = 24 * 1024 * 1024
    const options = `{ wsHandlers: [{ pattern: '/large', outbound: { maxBytes: ${2 * large} }, onMessage: (conn) => conn.send(Buffer.alloc(${large}, 7)) }] }`
    const project = await serve(options)
    const client = await connect(url(project, '/api/large'), { rejectUnauthorized: false, maxPayload: large })
    client.send('please')
    client.socket.pause()
    await once((client.socket as unknown as { _socket: NodeJS.ReadableStream })._socket, 'readable')
    await project.restarted(() => project.server.restart())
    client.socket.resume()
    expect(((await client.next()) as Buffer).equals(Buffer.alloc(large, 7))).toBe(true)
    client.send('again')
    expect(((await client.next()) as Buffer).length).toBe(large)
  })

  test('a route that is gone is told with 1012, and the others notice nothing', async () => {
    const routes = (...patterns: string[]): string =>
      `{ routes: ${JSON.stringify(patterns.map((pattern) => ({ pattern, dialect: 'echo' })))} }`
    const project = await serve(routes('/stays', '/goes'))
    const staying = await connect(url(project, '/stays'), { rejectUnauthorized: false })
    const leaving = await connect(url(project, '/goes'), { rejectUnauthorized: false })
    await project.restarted(() => project.save('vite.config.mjs', config(routes('/comes', '/stays'))))
    const { code, reason } = await leaving.ended
    expect([code, reason]).toEqual([1012, 'The route was removed'])
    staying.send('x')
    expect(await staying.next()).toBe('x')
  })

  test('a configuration that fails leaves the old server serving, however it fails', async () => {
    const project = await serve()
    const client = await connect(url(project, '/api/chat/tea'), { rejectUnauthorized: false })
    const wrong = [
      ['export default {', /server restart failed|failed to load config/i],
      [config('{ wsHandlers: [{ patern: "/x" }] }'), 'did you mean "pattern"?'],
      [config(answering(1)).replace('switchboard(', '{ name: "fails", configResolved() { throw new Error("not today") } }, switchboard('), 'not today'],
    ] as const
    let count = 0
    for (const [text, line] of wrong) {
      await project.save('vite.config.mjs', text)
      await project.logged(line)
      client.send('still there?')
      expect(await client.next()).toBe(`0,still there?,${++count},ada,tea,tea`)
      await connect(url(project, '/api/chat/cake'), { rejectUnauthorized: false })
    }
    await project.restarted(() => project.save('vite.config.mjs', config(answering(2))))
    client.send('and now?')
    expect(await client.next()).toBe(`2,and now?,${++count},ada,tea,tea`)
  })

  test('a plugin that fails while the new server is made leaves the old one serving', async () => {
    const project = await serve()
    const client = await connect(url(project, '/api/chat/tea'), { rejectUnauthorized: false })
    const fails = '{ name: "fails", configureServer(server) { globalThis.unfinished = server; throw new Error("not today") } }'
    await project.save('vite.config.mjs', config(answering(1)).replace(')], server', `), ${fails}], server`))
    await project.logged('server restart failed')
    client.send('still there?')
    expect(await client.next()).toBe('0,still there?,1,ada,tea,tea')
    await connect(url(project, '/api/chat/cake'), { rejectUnauthorized: false })
    // Otherwise the next edit would restart that server, and which of both is chance.
    const { watcher } = (globalThis as unknown as { unfinished: { watcher: { closed: boolean } } }).unfinished
    expect(watcher.closed).toBe(true)
    await project.restarted(() => project.save('vite.config.mjs', config(answering(2))))
    client.send('and now?')
    expect(await client.next()).toBe('2,and now?,2,ada,tea,tea')
  })

  test('without the plugin everybody is told with 1012', async () => {
    const project = await serve()
    const client = await connect(url(project, '/api/chat/tea'), { rejectUnauthorized: false })
    await project.restarted(() => project.save('vite.config.mjs', `export default { server: { host: '127.0.0.1', port: 0, ${server} } }`))
    const { code, reason } = await client.ended
    expect([code, reason]).toEqual([1012, 'the server restarts'])
  })
})

const [[, newest]] = versions as [(typeof versions)[number]]

test('on another port everybody is told with 1012', async () => {
  const project = new Project()
  project.write('vite.config.mjs', configuration(answering(0)))
  await project.start(newest)
  const client = await connect(project.url('/api/chat/tea'))
  await project.restarted(() => project.save('vite.config.mjs', configuration(answering(1)).replace('port: 0', 'port: 0, host: "localhost"')))
  expect((await client.ended).code).toBe(1012)
})

test('with another copy of the package everybody is told with 1012', async () => {
  const project = new Project()
  project.write('vite.config.mjs', configuration(answering(0)))
  await project.start(newest)
  const client = await connect(project.url('/api/chat/tea'))
  cpSync(join(import.meta.dirname, '../dist'), join(project.root, 'node_modules/newer/dist'), { recursive: true })
  project.write('node_modules/newer/package.json', '{ "name": "newer", "type": "module", "exports": "./dist/index.js" }')
  for (const name of ['ws', 'tinyglobby', 'vite']) {
    symlinkSync(join(import.meta.dirname, '../node_modules', name), join(project.root, 'node_modules', name), 'junction')
  }
  const newer = configuration(answering(1)).replace("'vite-plugin-switchboard'", "'newer'")
  await project.restarted(() => project.save('vite.config.mjs', newer))
  expect((await client.ended).code).toBe(1012)
  const late = await connect(project.url('/api/chat/tea'))
  late.send('?')
  expect(await late.next()).toBe('1,?,1,ada,tea,tea')
})

test('several plugins of one server each keep their own', async () => {
  const two = (version: number): string => `import { switchboard } from 'vite-plugin-switchboard'
const answering = (name) => ({ onMessage: (conn) => conn.send(name + ${version}) })
export default {
  plugins: [
    switchboard({ wsHandlers: [{ pattern: '/a', ...answering('a') }] }),
    switchboard({ endpointPrefix: '/other', wsHandlers: [{ pattern: '/b', ...answering('b') }] }),
  ],
  server: { host: '127.0.0.1', port: 0 },
}
`
  const project = new Project()
  project.write('vite.config.mjs', two(0))
  await project.start(newest)
  const [a, b] = [await connect(project.url('/api/a')), await connect(project.url('/other/b'))]
  await project.restarted(() => project.save('vite.config.mjs', two(1)))
  a.send('?')
  b.send('?')
  expect([await a.next(), await b.next()]).toEqual(['a1', 'b1'])
})

test('handler files outlive a restart too, and go on to be updated', async () => {
  const handler = (version: string): string => `export default { onMessage(conn: any) { conn.send('${version}') } }`
  const project = new Project()
  project.write('ws/chat.ts', handler('one'))
  project.write('vite.config.mjs', configuration("{ files: 'ws/**/*.ts' }"))
  await project.start(newest)
  const client = await connect(project.url('/api/ws/chat'))
  await project.restarted(() => project.server.restart())
  client.send('?')
  expect(await client.next()).toBe('one')
  await project.logged('the server has restarted')
  await project.save('ws/chat.ts', handler('two'))
  await expect
    .poll(async () => {
      client.send('?')
      return client.next()
    }, PATIENT)
    .toBe('two')
})

test('a server that does not come back has everybody told with 1012', async () => {
  const project = new Project()
  project.write('vite.config.mjs', configuration(answering(0)))
  await project.start(newest)
  const client = await connect(project.url('/api/chat/tea'))
  const deaf = '{ name: "deaf", configureServer({ httpServer }) { httpServer.listen = () => httpServer } }, '
  await project.save('vite.config.mjs', configuration(answering(1)).replace('switchboard(', `${deaf}switchboard(`))
  const { code, reason } = await client.ended
  expect([code, reason]).toEqual([1012, 'the server did not start again'])
})

/** After a restart it is another one. */
function pluginOf(server: ViteDevServer): PluginApi {
  return server.config.plugins.find(({ name }) => name === 'vite-plugin-switchboard')!.api as PluginApi
}

test('in middleware mode, where the server is yours, sockets stay too', async () => {
  const project = new Project()
  const config = (version: number): string => configuration(answering(version)).replace('port: 0', 'middlewareMode: true, hmr: false, ws: false')
  project.write('vite.config.mjs', config(0))
  const server = await newest.createServer({ root: project.root, customLogger: viteLogger(project.lines) })
  atEnd(() => server.close())
  const http = createServer(server.middlewares)
  http.on('upgrade', (request, socket, head) => {
    if (!pluginOf(server).upgrade(request, socket, head)) socket.destroy()
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  atEnd(() => new Promise((resolve) => http.close(resolve)))
  const { port } = http.address() as AddressInfo
  const client = await connect(`ws://127.0.0.1:${port}/api/chat/tea`)
  for (const version of [1, 2, 3]) {
    project.write('vite.config.mjs', config(version))
    await server.restart()
    client.send('?')
    expect(await client.next()).toContain(`${version},?`)
  }
  await server.close()
  expect((await client.ended).code).toBe(1001)
})
