/** What becomes of the sockets when Vite's server closes, and when it starts again. */

import type { Server } from 'node:http'

import type { PreviewServer, ResolvedConfig, ViteDevServer } from 'vite'

import { replace, type Serving } from './serving.js'

/**
 * Vite restarts in its process, from the same inline configuration: it makes the new server with all its plugins, closes
 * the old one, and has the new one listen. Under this symbol of that configuration they find each other.
 */
const SERVED = Symbol.for('switchboard.served')

/** Another copy of this package makes another one: it does not know how to use what this one made. */
const COPY = {}

/** How long in ms a new server may take to listen, before clients are told that it will not. */
const PATIENCE = 5000

/** One plugin of one server. */
interface Served {
  copy: object
  /** Which of the server's plugins of this package it is. */
  ordinal: number
  /** Where it was configured to be. Once it listens, the configuration has the port that it got. */
  place: string
  serving: Serving
  /** Its server's. */
  watcher: ViteDevServer['watcher']
  isRestarting: boolean
  successor: { serving: Serving; server: ViteDevServer; begin(): void } | undefined
}

type WithServed = ResolvedConfig['inlineConfig'] & { [SERVED]?: Set<Served> }

function servedBy({ inlineConfig }: ResolvedConfig): Set<Served> {
  return ((inlineConfig as WithServed)[SERVED] ??= new Set())
}

/** Where a server's plugin stands among those of its name. */
function ordinalOf(config: ResolvedConfig, plugin: { name: string }): number {
  return config.plugins.filter(({ name }) => name === plugin.name).indexOf(plugin as never)
}

/** A plugin of a server that is about to be replaced by this one, and whose connections can be taken over. */
export interface Predecessor {
  serving: Serving
  /** Has `serving` take over with `begin`, when the old server closes. */
  hand(serving: Serving, begin: () => void): void
}

/** Who served before a restart that is under way. */
export function predecessorOf(server: ViteDevServer, plugin: { name: string }): Predecessor | undefined {
  const { config } = server
  const ordinal = ordinalOf(config, plugin)
  const place = placeOf(config)
  for (const served of servedBy(config)) {
    const isIts = served.isRestarting && served.ordinal === ordinal && served.copy === COPY && !served.successor
    if (!isIts || served.place !== place) continue
    return {
      serving: served.serving,
      hand: (serving, begin) => (served.successor = { serving, server, begin }),
    }
  }
  return undefined
}

/** Where clients that connect again look for the server. */
function placeOf({ server: { port, host, https, middlewareMode } }: ResolvedConfig): string {
  return JSON.stringify([port, host, Boolean(https), Boolean(middlewareMode)])
}

/**
 * Vite destroys all sockets when it closes or restarts; the close of its own WebSocket server is the last moment before
 * that. Then the successor takes over, or the clients are told.
 */
export function onDevClose(server: ViteDevServer, one: Serving, plugin: { name: string }): void {
  const all = servedBy(server.config)
  const served: Served = {
    copy: COPY,
    ordinal: ordinalOf(server.config, plugin),
    place: placeOf(server.config),
    serving: one,
    watcher: server.watcher,
    isRestarting: false,
    successor: undefined,
  }
  all.add(served)
  one.onClosed(() => all.delete(served))

  replace(one, server, 'restart', (restart) => async (...args) => {
    const before = new Set(all)
    served.isRestarting = true
    try {
      await restart.apply(server, args)
    } finally {
      served.isRestarting = false
      served.successor = undefined
      // A restart that failed leaves this server running, and what the plugins of its successor have begun is over. Vite
      // forgets that one's watcher, which would restart a server that nobody sees.
      if (all.has(served)) {
        for (const other of all) {
          if (before.has(other)) continue
          other.serving.discard()
          void other.watcher.close()
        }
      }
    }
  })
  const { httpServer } = server
  replace(one, server.ws, 'close', (close) => () => {
    const { successor, isRestarting } = served
    if (isRestarting && successor) {
      // The sockets are another server's now; this one waits for none of them.
      one.keepSockets((raw) => one.tcp.below(raw))
      if (httpServer) doNotWait(httpServer)
      one.release()
      successor.begin()
      expectToListen(successor.server, successor.serving)
      return close.call(server.ws)
    }
    const stopped = one.stop(isRestarting ? 1012 : 1001, isRestarting ? 'the server restarts' : '')
    return Promise.all([close.call(server.ws), stopped]).then(() => {})
  })
}

/** A preview does not restart. */
export function onPreviewClose(server: PreviewServer, one: Serving): void {
  replace(one, server, 'close', (close) => () => {
    void one.stop(1001)
    return close.call(server)
  })
}

/** Has the next `close` of a server be done at once, and not when all sockets are gone. */
function doNotWait(httpServer: NonNullable<ViteDevServer['httpServer']>): void {
  const server = httpServer as Server
  const { close } = server
  server.close = (done) => {
    server.close = close
    close.call(server)
    queueMicrotask(() => done?.())
    return server
  }
}

/** A server that does not come back leaves its clients with nothing to wait for. */
function expectToListen({ httpServer }: ViteDevServer, serving: Serving): void {
  if (!httpServer || httpServer.listening) return
  const timer = setTimeout(() => void serving.stop(1012, 'the server did not start again'), PATIENCE)
  httpServer.once('listening', () => clearTimeout(timer))
  serving.onClosed(() => clearTimeout(timer))
}
