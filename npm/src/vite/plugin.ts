/** The Vite plugin. */

import { existsSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join, relative, resolve } from 'node:path'
import type { Duplex } from 'node:stream'

import type { PreviewServer, ViteDevServer } from 'vite'

import { check, start, unknownRoute } from '../attach.js'
import { faultsOf } from '../connection/faults.js'
import { recordingsOf } from '../connection/recordings.js'
import { type Place, routeAt } from '../connection/route.js'
import type { Written } from '../files/exports.js'
import { sum } from '../host/stats.js'
import { INSPECTOR_PATH } from '../inspector/serve.js'
import type { PluginOptions } from '../interface/options.js'
import type { SwitchboardPlugin } from '../interface/plugin.js'
import type { HttpServer } from '../interface/switchboard.js'
import { name, optionsOf } from '../values/arguments.js'
import { errorText } from '../values/error.js'
import { devTools } from './devtools.js'
import { ENVIRONMENT, entries, HandlerFiles, keepExternal, settings } from './handler-files.js'
import { hostsOf } from './hosts.js'
import { loadOnce } from './preview-files.js'
import { onDevClose, onPreviewClose, predecessorOf, type Predecessor } from './restart.js'
import { each, offer, replace, running, type Serving } from './serving.js'
import { addShortcut, hasShortcuts, inspectorUrl, SHORTCUT } from './shortcut.js'
import { TcpSockets } from './tcp.js'
import { colored } from './terminal.js'

/** Where handler files are by convention. */
const FOLDER = 'ws'

/**
 * A WebSocket backend in Vite's development and preview server.
 *
 * It is for Vite alone, as it lives in Vite's server; for other servers there is `attach`.
 */
export function switchboard(given?: PluginOptions | null): SwitchboardPlugin {
  const options = optionsOf(given, 'switchboard', "{ endpointPrefix: '/api', wsHandlers: [] }")
  const started = new Set<Serving>()
  let environment = options.environment
  let isDevelopment = false
  /** Whether Vite DevTools shows the inspector. */
  let isFramed = false

  function serve(server: ViteDevServer | PreviewServer, before?: Predecessor, written: Written[] = []): Serving {
    const { config } = server
    const logger = {
      info: (line: string) => config.logger.info(line, { timestamp: true }),
      warn: (line: string) => config.logger.warn(line, { timestamp: true }),
      error: (line: string) => config.logger.error(colored(line), { timestamp: true }),
    }
    const around = {
      fixStack: 'ssrFixStacktrace' in server ? (error: Error) => server.ssrFixStacktrace(error) : undefined,
      servedHosts: hostsOf('ws' in server ? config.server : config.preview),
      before: before?.serving.running,
      written,
      isFramed: () => isFramed,
    }
    // In development on by itself: for this machine, and with a token.
    const control = options.control ?? ('ws' in server ? true : undefined)
    const inspector = options.inspector ?? Boolean(control)
    const begun = start({ ...options, environment, control, inspector, logger }, config.root, around)
    const release = (): void => {
      started.delete(one)
      running.delete(one)
      one.files?.stop()
      begun.release()
    }
    const stop = async (code: number, reason = ''): Promise<void> => {
      started.delete(one)
      running.delete(one)
      one.files?.stop()
      // Vite destroys all sockets next, over HTTPS the TCP ones below those that we know. Ours end by themselves within
      // the grace time.
      one.keepSockets((raw) => one.tcp.below(raw))
      await one.switchboard.close({ code, reason })
    }
    const one: Serving = {
      ...begun,
      tcp: new TcpSockets(server.httpServer as HttpServer | null),
      isReady: false,
      files: undefined,
      release,
      stop,
      discard: () => (before ? release() : void stop(1001)),
    }
    one.onClosed(() => one.tcp.stop())
    if (!one.enabled) return one
    started.add(one)
    running.add(one)
    server.middlewares.use((request, response, next) => {
      if (one.switchboard.request(request, response)) return
      if (inspector && isBelowBase(request.url, config.base)) return void response.writeHead(302, { location: INSPECTOR_PATH }).end()
      next()
    })
    if (server.httpServer) one.attach(server.httpServer as HttpServer, false)
    return one
  }

  /** Loads the handler files, whose first upgrade waits for that, and takes over from a predecessor. */
  function follow(server: ViteDevServer, one: Serving, before: Predecessor | undefined): () => void {
    // Until Vite has closed the old server, its own handlers are served.
    let isBegun = before === undefined
    const owner = {
      log: one.log,
      serve: (written: Written[]) => {
        const changes = isBegun ? one.reconfigure(written) : one.check(written)
        if (changes) one.log.write('debug', `handlers updated: ${changes.summary}`)
      },
    }
    if (options.files) one.files = new HandlerFiles(server, options.files, owner, before?.serving.files)
    let loading = Promise.resolve()
    if (before) {
      const served = new Promise<void>((resolve) => {
        before.hand(one, () => {
          isBegun = true
          // Without the handlers of files, their connections would be closed.
          void loading.then(() => take(one, 'the server has restarted')).then(resolve)
        })
      })
      // The new routes are known, but not served yet: their clients wait.
      one.wait(served, 'all')
    }
    watchConfig(server, one, () => isBegun)
    return () => {
      one.isReady = true
      if (!one.files) return
      loading = one.files.load().catch((error: unknown) => one.log.failed('files', error))
      if (!before) one.wait(loading, 'below the prefixes')
    }
  }

  /** The configuration file, and those that belong to a configuration, are read again when they change. */
  function watchConfig(server: ViteDevServer, one: Serving, isBegun: () => boolean): void {
    const file = options.config && resolve(server.config.root, options.config)
    const documents = (): string[] => one.running?.host.documents ?? []
    const watch = (): void => void server.watcher.add(file ? [file, ...documents()] : documents())
    const changed = (path: string): void => {
      if (!isBegun()) return
      const known = resolve(path)
      if (known === file) take(one, `reloaded ${options.config}`)
      else if (documents().includes(known)) take(one, `reloaded ${relative(server.config.root, known)}`)
      else return
      watch()
    }
    watch()
    server.watcher.on('change', changed).on('add', changed)
    one.onClosed(() => server.watcher.off('change', changed).off('add', changed))
  }

  const hasInspector = (): boolean => !options.disable && options.control !== false && options.inspector !== false
  const plugin: SwitchboardPlugin = {
    name: 'vite-plugin-switchboard',
    apply: 'serve',
    api: {
      upgrade: (request, socket, head) => offer(started, request, socket, head),
      publish: (feed, value) => each(started).forEach(({ switchboard }) => switchboard.publish(feed, value)),
      route: (given) => {
        const pattern = name(given, 'route')
        const find = (): Place[] => {
          const all = each(started)
          const places = all.map((one) => one.placeOf(pattern)).filter((place) => place !== undefined)
          const patterns = all.flatMap(({ switchboard }) => switchboard.patterns)
          // Those of files come when they are loaded.
          const isLoading = all.some((one) => one.isLoading())
          if (places.length === 0 && patterns.length > 0 && !isLoading) throw new Error(unknownRoute(pattern, patterns))
          return places
        }
        find()
        return routeAt(pattern, find)
      },
      command: (pattern, name, payload) =>
        each(started).forEach(({ switchboard }) => switchboard.command(pattern, name, payload)),
      get control() {
        return each(started).map(({ switchboard }) => switchboard.control).find((access) => access !== undefined)
      },
      faults: faultsOf(() => each(started).flatMap(({ running }) => (running ? [running.host] : []))),
      recordings: recordingsOf(() => each(started).flatMap(({ running }) => (running ? [running.host] : [])).at(-1)),
      stats: () => sum(each(started).map(({ switchboard }) => switchboard.stats())),
    },

    devtools: devTools(hasInspector, () => (isFramed = true)),

    config(_config, { command, isPreview }) {
      isDevelopment = command === 'serve' && !isPreview
      return options.files && isDevelopment ? { environments: { [ENVIRONMENT]: settings } } : undefined
    },

    async configResolved(config) {
      if (options.files && isDevelopment) keepExternal(config.environments?.[ENVIRONMENT]?.resolve)
      if (!options.environment && config.envDir) {
        // Only Vite's own users have Vite.
        const { loadEnv } = await import('vite')
        environment = loadEnv(config.mode, config.envDir, '')
      }
      // What fails once Vite has begun to make a server leaves that one's watcher running, and it takes part in the
      // next restart.
      if (isDevelopment) check({ ...options, control: options.control ?? true, environment }, config.root, hostsOf(config.server))
    },

    ...(options.files ? entries : undefined),

    configureServer(server) {
      const before = predecessorOf(server, plugin)
      const one = serve(server, before)
      mentionFolder(server, one)
      if (!one.enabled) return
      onDevClose(server, one, plugin)
      listEndpoints(server, one, options)
      return follow(server, one, before)
    },

    async configurePreviewServer(server) {
      if (options.enablePreview === false || options.disable) return
      const loaded = options.files ? await loadOnce(options.files, server.config) : undefined
      const one = serve(server, undefined, loaded?.written)
      if (loaded) one.onClosed(() => void loaded.close())
      if (!one.enabled) return
      one.isReady = true
      onPreviewClose(server, one)
      listEndpoints(server, one, options)
    },
  }
  return plugin
}

/**
 * Offers an upgrade request to all plugins that run in this process, and returns whether one took it: for Vite in
 * middleware mode, where the HTTP server is yours.
 */
export function upgrade(request: IncomingMessage, socket: Duplex, head?: Buffer | null): boolean {
  return offer(running, request, socket, head)
}

/** Whether the inspector is looked for where Vite's pages are. */
function isBelowBase(url = '', base: string): boolean {
  const path = url.split('?', 1)[0]!
  return base.length > 1 && base.startsWith('/') && `${path.replace(/\/$/, '')}/` === `${base.replace(/\/$/, '')}${INSPECTOR_PATH}`
}

/** Who has handler files may not know yet that they have to be named. */
function mentionFolder({ config: { root } }: ViteDevServer, { log, enabled }: Serving): void {
  if (enabled || !existsSync(join(root, FOLDER))) return
  log.write('info', `there is a folder ${FOLDER}/; to serve its files write switchboard({ files: '${FOLDER}/**/*.ts' })`)
}

/** Has a server take its configuration as it is now, and says so. */
function take(one: Serving, why: string): void {
  try {
    const changes = one.reconfigure(one.files?.written ?? [])
    one.log.write('info', `${why}${changes && `: ${changes.summary}`}`)
  } catch (error) {
    one.log.write('error', `${why}: ${errorText(error)}; what was served before goes on`)
  }
}

/** Adds the endpoints to the addresses that Vite prints. */
function listEndpoints(server: ViteDevServer | PreviewServer, one: Serving, options: PluginOptions): void {
  const { switchboard, log } = one
  if ((options.inspector ?? true) && switchboard.control) addShortcut(server, one)
  replace(one, server, 'printUrls', (print) => () => {
    print.call(server)
    const local = server.resolvedUrls?.local[0] ?? server.resolvedUrls?.network[0]
    if (local === undefined) return
    const origin = local.replace(/^http/, 'ws').replace(/^(wss?:\/\/[^/]+).*$/, '$1')
    const list = (patterns: string[]): void => patterns.forEach((pattern) => log.write('info', `${origin}${pattern}`))
    const printed = switchboard.patterns
    list(printed)
    // Who has not asked for it need not see its token.
    const access = options.control ? switchboard.control : undefined
    const inspector = (options.inspector ?? true) && switchboard.control
    if (inspector) log.write('info', `inspector: ${inspectorUrl(server)}${hasShortcuts() ? ` (press ${SHORTCUT} + enter)` : ''}`)
    if (access) log.write('info', `control API: ${new URL(access.path, local).href} with the token ${access.token}`)
    // Those of handler files may not be known yet.
    void one.loaded().then(() => list(switchboard.patterns.filter((pattern) => !printed.includes(pattern))))
  })
}
