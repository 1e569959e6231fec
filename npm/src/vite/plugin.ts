/** The Vite plugin. */

import type { IncomingMessage } from 'node:http'
import { resolve } from 'node:path'
import type { Duplex } from 'node:stream'

import type { PreviewServer, ResolvedConfig, ViteDevServer } from 'vite'

import { claim } from '../accept/attachment.js'
import { start, type Started, unknownRoute } from '../attach.js'
import { type Place, routeAt } from '../connection/route.js'
import { sum } from '../host/stats.js'
import type { PluginOptions } from '../interface/options.js'
import type { SwitchboardPlugin } from '../interface/plugin.js'
import type { HttpServer } from '../interface/switchboard.js'
import { name, optionsOf } from '../values/arguments.js'
import { TcpSockets } from './tcp.js'
import { colored } from './terminal.js'

/** One server of Vite's that is served. */
interface Serving extends Started {
  tcp: TcpSockets
  /** Its server exists: no hook of another plugin can prevent that any more. */
  isReady: boolean
  /** What the server was made of; after a restart its successor is made of the same object. */
  origin: object
  /** Closes all connections with this code, and ends. */
  stop(code: number): void
}

/** All that run in this process, for {@link upgrade}. */
const running = new Set<Serving>()

/**
 * A WebSocket backend in Vite's development and preview server.
 *
 * It is for Vite alone, as it lives in Vite's server; for other servers there is `attach`.
 */
export function switchboard(given?: PluginOptions | null): SwitchboardPlugin {
  const options = optionsOf(given, 'switchboard', "{ endpointPrefix: '/api', wsHandlers: [] }")
  const started = new Set<Serving>()
  let environment = options.environment

  function serve(server: ViteDevServer | PreviewServer): Serving {
    const { config } = server
    const logger = {
      info: (line: string) => config.logger.info(line, { timestamp: true }),
      warn: (line: string) => config.logger.warn(line, { timestamp: true }),
      error: (line: string) => config.logger.error(colored(line), { timestamp: true }),
    }
    const fixStack = 'ssrFixStacktrace' in server ? (error: Error) => server.ssrFixStacktrace(error) : undefined
    const servedHosts = hostsOf('ws' in server ? config.server : config.preview)
    const one: Serving = {
      ...start({ ...options, environment, logger }, config.root, { fixStack, servedHosts }),
      tcp: new TcpSockets(server.httpServer as HttpServer | null),
      isReady: false,
      origin: config.inlineConfig,
      stop: (code) => stop(one, code),
    }
    one.onClosed(() => one.tcp.stop())
    if (!one.enabled) return one
    started.add(one)
    running.add(one)
    server.middlewares.use((request, response, next) => {
      if (!one.switchboard.request(request, response)) next()
    })
    if (server.httpServer) one.attach(server.httpServer as HttpServer, false)
    return one
  }

  function stop(one: Serving, code: number): void {
    started.delete(one)
    running.delete(one)
    // Vite destroys all sockets next, over HTTPS the TCP ones below those that we know. Ours end by themselves within
    // the grace time, and Vite's HTTP server waits for it.
    one.keepSockets((raw) => one.tcp.below(raw))
    void one.switchboard.close({ code })
  }

  return {
    name: 'vite-plugin-switchboard',
    apply: 'serve',
    api: {
      upgrade: (request, socket, head) => offer(started, request, socket, head),
      publish: (feed, value) => started.forEach(({ switchboard }) => switchboard.publish(feed, value)),
      route: (given) => {
        const pattern = name(given, 'route')
        const find = (): Place[] => {
          const places = [...started].map((one) => one.placeOf(pattern)).filter((place) => place !== undefined)
          const patterns = [...started].flatMap(({ switchboard }) => switchboard.patterns)
          if (places.length === 0 && patterns.length > 0) throw new Error(unknownRoute(pattern, patterns))
          return places
        }
        find()
        return routeAt(pattern, find)
      },
      command: (pattern, name, payload) =>
        started.forEach(({ switchboard }) => switchboard.command(pattern, name, payload)),
      stats: () => sum([...started].map(({ switchboard }) => switchboard.stats())),
    },

    async configResolved(config) {
      if (!options.environment && config.envDir) {
        // Only Vite's own users have Vite.
        const { loadEnv } = await import('vite')
        environment = loadEnv(config.mode, config.envDir, '')
      }
      // Vite restarts when such a file changes, as it does for its own.
      if (options.config) {
        config.configFileDependencies.push(resolve(config.root, options.config).replaceAll('\\', '/'))
      }
    },

    configureServer(server) {
      const one = serve(server)
      if (!one.enabled) return
      onDevClose(server, one)
      listEndpoints(server, one)
      return () => {
        one.isReady = true
      }
    },

    configurePreviewServer(server) {
      if (options.enablePreview === false) return
      const one = serve(server)
      if (!one.enabled) return
      one.isReady = true
      onPreviewClose(server, one)
      listEndpoints(server, one)
    },
  }
}

/**
 * Offers an upgrade request to all plugins that run in this process, and returns whether one took it: for Vite in
 * middleware mode, where the HTTP server is yours.
 */
export function upgrade(request: IncomingMessage, socket: Duplex, head?: Buffer | null): boolean {
  return offer(running, request, socket, head)
}

/** The names under which Vite itself lets pages in. */
function hostsOf(given: ResolvedConfig['server'] | ResolvedConfig['preview']): true | string[] {
  // A page that points its name here has no certificate for it.
  if (given.allowedHosts === true || given.https) return true
  const hosts = [...(given.allowedHosts ?? [])]
  if (typeof given.host === 'string') hosts.push(given.host)
  if (!('hmr' in given)) return hosts
  if (typeof given.hmr === 'object' && given.hmr.host) hosts.push(given.hmr.host)
  if (given.origin && URL.canParse(given.origin)) hosts.push(new URL(given.origin).hostname)
  return hosts
}

function offer(to: Set<Serving>, request: IncomingMessage, socket: Duplex, head?: Buffer | null): boolean {
  const all = [...to].filter(({ isReady }) => isReady).map(({ switchboard: { upgrade }, serves }) => ({ upgrade, serves }))
  return claim(all, request, socket, head)
}

/** Replaces a function of an object, until a Switchboard is closed. */
function replace<T extends object, K extends keyof T>(one: Serving, object: T, key: K, by: (original: T[K]) => T[K]): void {
  const original = object[key]
  const own = (object[key] = by(original))
  one.onClosed(() => {
    if (object[key] === own) object[key] = original
  })
}

/**
 * Vite destroys all sockets when it closes or restarts; the close of its own WebSocket server is the last moment
 * before that.
 */
function onDevClose(server: ViteDevServer, one: Serving): void {
  let code = 1001
  replace(one, server, 'restart', (restart) => async (...args) => {
    const before = new Set(running)
    code = 1012
    try {
      await restart.apply(server, args)
    } finally {
      code = 1001
      // A restart that failed leaves this server running, and what the plugins of its successor have begun is over.
      const isFailed = running.has(one)
      for (const other of running) if (isFailed && !before.has(other) && other.origin === one.origin) other.stop(1001)
    }
  })
  replace(one, server.ws, 'close', (close) => () => {
    one.stop(code)
    return close.call(server.ws)
  })
}

function onPreviewClose(server: PreviewServer, one: Serving): void {
  replace(one, server, 'close', (close) => () => {
    one.stop(1001)
    return close.call(server)
  })
}

/** Adds the endpoints to the addresses that Vite prints. */
function listEndpoints(server: ViteDevServer | PreviewServer, one: Serving): void {
  const { switchboard, log } = one
  replace(one, server, 'printUrls', (print) => () => {
    print.call(server)
    const local = server.resolvedUrls?.local[0] ?? server.resolvedUrls?.network[0]
    if (local === undefined) return
    const origin = local.replace(/^http/, 'ws').replace(/^(wss?:\/\/[^/]+).*$/, '$1')
    for (const pattern of switchboard.patterns) log.write('info', `${origin}${pattern}`)
  })
}
