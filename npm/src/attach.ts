/** Switchboard without Vite: on any server of Node's. */

import type { Duplex } from 'node:stream'

import { attachTo } from './accept/attachment.js'
import { createHandle } from './accept/request.js'
import { createUpgrade } from './accept/upgrade.js'
import { resolve, type Resolved } from './config/options.js'
import { setUp } from './config/setup.js'
import { type Place, routeAt } from './connection/route.js'
import { statsOf } from './host/stats.js'
import { Supervisor } from './host/supervisor.js'
import type { PluginOptions, SwitchboardOptions } from './interface/options.js'
import type { Route } from './interface/route.js'
import type { CloseOptions, HttpServer, Switchboard } from './interface/switchboard.js'
import { asksForDebug, Log } from './log/log.js'
import { Stacks } from './log/stack.js'
import { closeCode, closeReason, milliseconds, name, optionsOf, shapeOf } from './values/arguments.js'

/** A Switchboard for servers that forward upgrades themselves. Throws what is wrong with the options. */
export function createSwitchboard(options: SwitchboardOptions): Switchboard {
  return create(options, 'createSwitchboard').switchboard
}

/**
 * Serves WebSockets on an HTTP server. Upgrades that are ours are not shown to its other listeners, all others are
 * left to them. Throws what is wrong with the options.
 */
export function attach(httpServer: HttpServer, options: SwitchboardOptions): Switchboard {
  if (typeof httpServer?.on !== 'function') {
    throw new TypeError(`attach: expected a server as createServer() of node:http makes it, got ${shapeOf(httpServer)}`)
  }
  const started = create(options, 'attach')
  started.attach(httpServer, true)
  return started.switchboard
}

function create(options: SwitchboardOptions, what: string): Started {
  if (!options) throw new TypeError(`${what}: expected options such as { routes: [] }, got ${shapeOf(options)}`)
  return start(optionsOf(options, what, '{ routes: [] }'), process.cwd())
}

/** A running Switchboard, and what only the plugin needs to know of it. */
export interface Started {
  switchboard: Switchboard
  log: Log
  /** Whether anything is served. */
  enabled: boolean
  /** Keeps the sockets from being destroyed before this tick is over; `below` finds what carries a TLS socket. */
  keepSockets(below: (raw: Duplex) => Duplex | undefined): void
  /** Whether a route is there for this path. */
  serves(path: string): boolean
  /** Where the route with this pattern is now. */
  placeOf(pattern: string): Place | undefined
  /**
   * Serves a server of Node's, with `requests` also its plain HTTP requests, until one of both closes. When the server
   * does, everything here ends.
   */
  attach(server: HttpServer, requests: boolean): void
  /** Has something done when it is closed. */
  onClosed(undo: () => void): void
}

/** What the server around knows. */
export interface Surroundings {
  /** Corrects the stacks of errors whose modules it loaded. */
  fixStack?: (error: Error) => void
  /** The names under which it lets pages in by itself. */
  servedHosts?: true | string[]
}

/** Starts what the options describe. `root` is where the relative path of a configuration file starts. */
export function start(options: PluginOptions & SwitchboardOptions, root: string, around: Surroundings = {}): Started {
  const { fixStack, servedHosts } = around
  const resolved = resolve(options)
  const level = asksForDebug(resolved.environment.DEBUG) ? 'debug' : options.logLevel
  const log = new Log(options.logger, level, new Stacks(root, fixStack))
  if (resolved.ignored.length > 0) {
    log.write('warn', `serves no HTTP: these options mean nothing here: ${resolved.ignored.join(', ')}`)
  }
  if (!resolved.enabled) return { ...DISABLED, log }
  if (resolved.prefixes.length === 0 && options.wsHandlers?.length) {
    log.write('warn', 'endpointPrefix is empty, so wsHandlers serve nothing; routes need no prefix')
  }
  const running = supervise(resolved, root, servedHosts, log)
  const undo: (() => void)[] = []
  const undoAll = (): void => {
    for (const one of undo.splice(0)) one()
  }
  const shut = (options?: CloseOptions | null): Promise<void> => close(running, options).then(undoAll)
  const switchboard: Switchboard = {
    upgrade: createUpgrade(running, resolved.prefixes),
    request: createHandle(running),
    patterns: running.host.routes.patterns(),
    publish: (feed, value) => running.host.publish(name(feed, 'publish: feed'), value),
    route: (pattern) => route(running, name(pattern, 'route')),
    command: (pattern, command, payload) => route(running, name(pattern, 'command: pattern')).command(command, payload),
    stats: () => running.host.stats(),
    close: shut,
    [Symbol.asyncDispose]: () => shut(),
  }
  return {
    switchboard,
    log,
    enabled: true,
    keepSockets: (below) => running.host.keepSockets(below),
    serves: (path) => running.host.serves(path),
    placeOf: (pattern) => placeOf(running, pattern),
    attach: (server, requests) => {
      const { upgrade, request } = switchboard
      const closed = (): void => {
        undoAll()
        void running.shutdown(1001, '', 0)
      }
      const serves = (path: string): boolean => running.host.serves(path)
      const untaken = (line: string): void => log.write('warn', line)
      const nearest = (path: string): string | undefined => running.host.nearest(path)
      undo.push(attachTo(server, { upgrade, request: requests ? request : undefined, serves, nearest, untaken, closed }))
    },
    onClosed: (one) => void undo.push(one),
  }
}

function route(running: Supervisor, pattern: string): Route {
  // A host whose engine failed has no routes until it is replaced.
  if (placeOf(running, pattern) === undefined && !running.host.isBroken) {
    throw new Error(unknownRoute(pattern, running.host.routes.patterns()))
  }
  return routeAt(pattern, () => [placeOf(running, pattern) ?? []].flat())
}

function placeOf({ host }: Supervisor, pattern: string): Place | undefined {
  const route = host.routes.find(pattern)
  return route === undefined ? undefined : { host, route }
}

/** What to say when there is no such route. */
export function unknownRoute(pattern: string, known: string[]): string {
  return `there is no route ${pattern}; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ') || 'none'}`
}

async function close(running: Supervisor, options?: CloseOptions | null): Promise<void> {
  const { code, reason, grace } = optionsOf(options, 'close', '{ code: 1001 }')
  await running.shutdown(
    closeCode(code ?? 1001, 'close: code'),
    closeReason(reason ?? '', 'close: reason'),
    grace === undefined || grace === null ? undefined : milliseconds(grace, 'close: grace', 'leave it out for shutdownGrace'),
  )
}

/** What stands in where everything is switched off. */
const NOTHING: Switchboard = {
  upgrade: () => false,
  request: () => false,
  patterns: [],
  publish: () => {},
  route: (pattern) => routeAt(pattern, () => []),
  command: () => {},
  stats: () => statsOf(),
  close: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
}

const DISABLED: Omit<Started, 'log'> = {
  switchboard: NOTHING,
  enabled: false,
  keepSockets: () => {},
  serves: () => false,
  placeOf: () => undefined,
  attach: () => {},
  onClosed: () => {},
}

function supervise(resolved: Resolved, root: string, servedHosts: true | string[] | undefined, log: Log): Supervisor {
  try {
    return new Supervisor(setUp(resolved, root, servedHosts, log.isDebug), root, log)
  } catch (error) {
    throw new Error(`[switchboard] ${(error as Error).message}`)
  }
}
