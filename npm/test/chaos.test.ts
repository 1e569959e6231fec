/**
 * Everything that can go wrong, at random: the process lives, later clients are served, and nothing is left.
 *
 * `CHAOS_MS` is how long each mode runs, in ms (default 4000), `CHAOS_SEED` makes a run again.
 */

import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect as connectTcp } from 'node:net'

import { expect, test } from 'vitest'
import * as vite from 'vite'
import { attach, type PluginOptions, switchboard, type WebSocketConnection } from 'vite-plugin-switchboard'

import { type Client, connect, dial, handshake } from './support/client.js'
import { atEnd, folder, viteLogger } from './support/server.js'

const DURATION = Number(process.env.CHAOS_MS ?? 4000)
const SEED = Number(process.env.CHAOS_SEED ?? 1)

/** Numbers below `n`, the same for the same seed (mulberry32). */
function random(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
}

function overflow(connection: WebSocketConnection): void {
  connection.broadcast('x', { includeSelf: true })
  overflow(connection)
}

const DEEDS: Record<string, (connection: WebSocketConnection) => unknown> = {
  echo: (connection) => connection.send('echo'),
  throw: () => { throw new Error('no') },
  reject: () => Promise.reject(new Error('no')),
  never: () => new Promise(() => {}),
  recurse: () => { const again = (): void => again(); again() },
  overflow,
  later: async (connection) => { await null; overflow(connection) },
  log: (connection) => connection.send(1n),
  close: (connection) => connection.close(3000),
  drop: (connection) => connection.forceClose(),
  wide: (connection) => { for (let count = 0; count < 200; count++) connection.broadcast('x'.repeat(1000), { includeSelf: true }) },
}

function options(): PluginOptions {
  return {
    wsHandlers: [{ pattern: '/', onMessage: (connection, message) => DEEDS[message as string]?.(connection), onClose: () => { throw new Error('no') } }],
    limits: { handlerTimeout: 50 },
    shutdownGrace: 200,
  }
}

interface Mode {
  port: number
  restart?(): Promise<unknown>
  close(): Promise<unknown>
}

const MODES: Record<string, () => Promise<Mode>> = {
  async attach() {
    const server = createServer((_, response) => response.end('page'))
    const board = attach(server, { ...options(), logger: { info() {}, warn() {}, error: () => board?.publish('none', 1) } })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const close = async () => {
      await board.close()
      expect([server.listenerCount('upgrade'), Object.hasOwn(server, 'emit')]).toEqual([0, false])
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      // Callbacks that never end are given up when their time is over.
      for (const end = performance.now() + 5000; board.stats().connections > 0 && performance.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 10))
      expect(board.stats()).toMatchObject({ connections: 0, rooms: 0, timers: 0, calls: 0, upstreams: 0 })
    }
    return { port: (server.address() as AddressInfo).port, close }
  },
  async dev() {
    const config = { host: '127.0.0.1', port: 0, watch: null }
    const server = await vite.createServer({ configFile: false, root: folder(), plugins: [switchboard(options())], customLogger: viteLogger([]), server: config })
    await server.listen()
    const { port } = server.httpServer!.address() as AddressInfo
    // Where it listened before, it is to listen again.
    Object.assign(config, { port, strictPort: true })
    server.config.inlineConfig.server = config
    return { port, restart: () => server.restart(), close: () => server.close() }
  },
  async preview() {
    const root = folder()
    const server = await vite.preview({ configFile: false, root, build: { outDir: root }, plugins: [switchboard(options())], customLogger: viteLogger([]), preview: { host: '127.0.0.1', port: 0 } })
    return { port: (server.httpServer.address() as AddressInfo).port, close: () => server.close() }
  },
}

/** Tries until a client is served: after failures in a row there is a pause. */
async function expectServed(port: number): Promise<void> {
  const end = performance.now() + 30_000
  for (;;) {
    const client = await connect(`ws://127.0.0.1:${port}/api/`).catch(() => undefined)
    client?.send('echo')
    const answer = await client?.next().catch(() => undefined)
    client?.socket.terminate()
    if (answer !== undefined) return expect(answer).toBe('echo')
    if (performance.now() > end) throw new Error('nobody is served any more')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test.each(Object.keys(MODES))('%s lives through everything', { timeout: DURATION + 120_000 }, async (name) => {
  const wrong: unknown[] = []
  const note = (error: unknown) => void wrong.push(error)
  process.on('uncaughtException', note).on('unhandledRejection', note)
  atEnd(() => process.off('uncaughtException', note).off('unhandledRejection', note))
  const sockets = () => process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length
  const before = sockets()
  const mode = await MODES[name]!()
  const below = random(SEED)
  const url = `ws://127.0.0.1:${mode.port}/api/`
  const clients: Client[] = []
  const deeds = Object.keys(DEEDS)
  for (const end = performance.now() + DURATION; performance.now() < end; ) {
    const kind = below(12)
    if (kind < 3) clients.push(dial(url))
    else if (kind < 7 && clients.length > 0) {
      const client = clients[below(clients.length)]!
      if (client.socket.readyState === client.socket.OPEN) client.send(deeds[below(deeds.length)])
    } else if (kind === 7 && clients.length > 0) {
      const client = clients[below(clients.length)]!
      if (client.socket.readyState === client.socket.OPEN) for (let count = 0; count < 2000; count++) client.send('echo')
    } else if (kind === 8 && clients.length > 0) clients.splice(below(clients.length), 1)[0]!.socket.terminate()
    else if (kind === 9) {
      const socket = connectTcp(mode.port, '127.0.0.1').on('error', () => {})
      socket.once('connect', () => {
        socket.write(handshake(below(2) === 0 ? '/other' : '/api/'))
        if (below(2) === 0) setImmediate(() => socket.resetAndDestroy())
        else setTimeout(() => socket.destroy(), 20)
      })
    } else if (kind === 10 && mode.restart && below(20) === 0) await mode.restart()
    else await new Promise((resolve) => setTimeout(resolve, below(10)))
    if (clients.length > 50) clients.shift()!.socket.terminate()
  }
  for (const client of clients) client.socket.terminate()
  await expectServed(mode.port)
  await mode.close()
  const refused = connectTcp(mode.port, '127.0.0.1')
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
  for (const end = performance.now() + 5000; sockets() > before && performance.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(sockets()).toBeLessThanOrEqual(before)
  expect(wrong).toEqual([])
})
