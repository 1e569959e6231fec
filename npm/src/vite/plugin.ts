/** The Vite plugin. */

import type { IncomingMessage } from 'node:http'
import { resolve } from 'node:path'
import type { Duplex } from 'node:stream'

import type { Plugin, PreviewServer, ViteDevServer } from 'vite'

import { type HttpServer, listen, type Upgrade } from '../accept/upgrade.js'
import { type Started, start } from '../attach.js'
import type { PluginOptions } from '../config/options.js'
import { optionsOf } from '../connection/arguments.js'
import { type Stats, sum } from '../host/stats.js'
import { TcpSockets } from './tcp.js'

/** What the plugin offers to who embeds Vite. */
export interface PluginApi {
  /** Takes an upgrade request if it is ours, and says whether it was: for Vite in middleware mode. */
  upgrade: Upgrade
  /** Tells all routes that serve this feed a value. */
  publish(feed: string, value: unknown): void
  /** Has a route's dialect do what only it knows, as `command` of `attach`. */
  command(pattern: string, name: string, payload: unknown): void
  /** How much there is right now, as `stats` of `attach`. */
  stats(): Stats
}

/** The plugin, with its `api`. */
export type SwitchboardPlugin = Plugin<PluginApi> & { api: PluginApi }

/** One server of Vite's that is served. */
interface Serving extends Started {
  tcp: TcpSockets
}

/** All that run in this process, for {@link upgrade}. */
const running = new Set<Started>()

/**
 * A WebSocket backend in Vite's development and preview server.
 *
 * It is for Vite alone, as it lives in Vite's server; for other servers there is `attach`.
 */
export function switchboard(given?: PluginOptions | null): SwitchboardPlugin {
  const options = optionsOf(given, 'switchboard', "{ endpointPrefix: '/api', wsHandlers: [] }")
  const started = new Set<Started>()
  let environment = options.environment

  function serve(server: ViteDevServer | PreviewServer): Serving {
    const { config } = server
    const logger = {
      info: (line: string) => config.logger.info(line, { timestamp: true }),
      warn: (line: string) => config.logger.warn(line, { timestamp: true }),
      error: (line: string) => config.logger.error(line, { timestamp: true }),
    }
    const shared = allowed(options, 'ws' in server ? config.server : config.preview)
    const one: Serving = {
      ...start({ ...options, ...shared, environment, logger }, config.root),
      tcp: new TcpSockets(server.httpServer as HttpServer | null),
    }
    if (!one.enabled) return one
    started.add(one)
    running.add(one)
    server.middlewares.use((request, response, next) => {
      if (!one.switchboard.request(request, response)) next()
    })
    const detach = server.httpServer ? listen(server.httpServer as HttpServer, one.switchboard.upgrade) : () => {}
    server.httpServer?.once('close', detach)
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
      onDevClose(server, (code) => stop(one, code))
      listEndpoints(server, one)
    },

    configurePreviewServer(server) {
      if (options.enablePreview === false) return
      const one = serve(server)
      if (!one.enabled) return
      onPreviewClose(server, () => stop(one, 1001))
      listEndpoints(server, one)
    },
  }
}

/**
 * Offers an upgrade request to all plugins that run in this process, and says whether one took it: for Vite in
 * middleware mode, where the HTTP server is yours.
 */
export function upgrade(request: IncomingMessage, socket: Duplex, head?: Buffer | null): boolean {
  return offer(running, request, socket, head)
}

/** Whom Vite lets in, its sockets let in too. */
function allowed(options: PluginOptions, { allowedHosts }: { allowedHosts?: true | string[] }): Partial<PluginOptions> {
  if (allowedHosts === true) return { origins: options.origins ?? '*' }
  return { allowedHosts: [...(options.allowedHosts ?? []), ...(allowedHosts ?? [])] }
}

function offer(to: Set<Started>, request: IncomingMessage, socket: Duplex, head?: Buffer | null): boolean {
  for (const { switchboard } of to) {
    if (switchboard.upgrade(request, socket, head)) return true
  }
  return false
}

/**
 * Vite destroys all sockets when it closes or restarts; the close of its own WebSocket server is the last moment
 * before that.
 */
function onDevClose(server: ViteDevServer, closing: (code: number) => void): void {
  const { ws, restart } = server
  let code = 1001
  server.restart = async (...args) => {
    code = 1012
    try {
      await restart.apply(server, args)
    } finally {
      code = 1001
    }
  }
  const close = ws.close.bind(ws)
  ws.close = () => {
    closing(code)
    return close()
  }
}

function onPreviewClose(server: PreviewServer, closing: () => void): void {
  const close = server.close.bind(server)
  server.close = () => {
    closing()
    return close()
  }
}

/** Adds the endpoints to the addresses that Vite prints. */
function listEndpoints(server: ViteDevServer | PreviewServer, { switchboard, log }: Started): void {
  const print = server.printUrls.bind(server)
  server.printUrls = () => {
    print()
    const local = server.resolvedUrls?.local[0] ?? server.resolvedUrls?.network[0]
    if (local === undefined) return
    const origin = local.replace(/^http/, 'ws').replace(/^(wss?:\/\/[^/]+).*$/, '$1')
    for (const pattern of switchboard.patterns) log.write('info', `${origin}${pattern}`)
  }
}
