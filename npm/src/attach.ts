/** Switchboard without Vite: on any server of Node's. */

import type { Duplex } from 'node:stream'

import { attachTo } from './accept/attachment.js'
import { createHandle, type Handle } from './accept/request.js'
import { createUpgrade, type HttpServer, type Upgrade } from './accept/upgrade.js'
import { type PluginOptions, type Resolved, resolve, type SwitchboardOptions } from './config/options.js'
import { setUp } from './config/setup.js'
import { closeCode, closeReason, milliseconds, name, optionsOf, shapeOf } from './connection/arguments.js'
import { type Place, type Route, routeAt } from './connection/route.js'
import { Log } from './host/logger.js'
import { Stacks } from './host/stack.js'
import { type Stats, statsOf } from './host/stats.js'
import { Supervisor } from './host/supervisor.js'

/** The close frame that clients get when a server stops. */
export interface CloseOptions {
  /** The close code that clients get. Default `1001`. */
  code?: number | null
  /** The close reason, at most 123 bytes. Default `''`. */
  reason?: string | null
  /** How long in ms clients may take to answer; then they are dropped. Default: the option `shutdownGrace`. */
  grace?: number | null
}

/** A running Switchboard. */
export interface Switchboard {
  /** Takes an upgrade request if it is ours, and says whether it was. */
  readonly upgrade: Upgrade
  /** Answers a plain HTTP request if it is for a path of a dialect or feed, and says whether it was. */
  readonly request: Handle
  /** The patterns of all endpoints, with their prefixes. */
  readonly patterns: string[]
  /** Tells all routes that serve this feed a value. Throws a `TypeError` for what JSON does not have. */
  publish(feed: string, value: unknown): void
  /**
   * A route, to send to its clients, to list, count or close them without being in one of its callbacks. `pattern` is the
   * route's, with its prefix or without. Throws if there is none.
   */
  route(pattern: string): Route
  /**
   * Has a route's dialect do what only it knows: `broadcast` with `{ topic, event, payload }` in `phoenix`, `publish`
   * with `{ channel, message }` in `actions`. `pattern` is the route's, with its prefix or without. Throws what the
   * route does not know.
   */
  command(pattern: string, name: string, payload: unknown): void
  /** How much there is right now: for a page of statistics, or a test that waits until all are gone. */
  stats(): Stats
  /**
   * Takes no more connections and closes those there are. Done when all are gone. Rejects with a `RangeError` for a code
   * that must not be sent, and closes nothing.
   */
  close(options?: CloseOptions | null): Promise<void>
  /** As {@link close} without options: for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

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

/**
 * Starts what the options describe. `root` is where the relative path of a configuration file starts, `fixStack` corrects
 * the stacks of errors whose modules it loaded.
 */
export function start(options: PluginOptions & SwitchboardOptions, root: string, fixStack?: (error: Error) => void): Started {
  const resolved = resolve(options)
  const log = new Log(options.logger, options.logLevel, new Stacks(root, fixStack))
  if (resolved.ignored.length > 0) {
    log.write('warn', `serves no HTTP: these options mean nothing here: ${resolved.ignored.join(', ')}`)
  }
  if (!resolved.enabled) return { ...DISABLED, log }
  if (resolved.prefixes.length === 0 && options.wsHandlers?.length) {
    log.write('warn', 'endpointPrefix is empty, so wsHandlers serve nothing; routes need no prefix')
  }
  const running = supervise(resolved, root, log)
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
      undo.push(attachTo(server, { upgrade, request: requests ? request : undefined, serves, closed }))
    },
    onClosed: (one) => void undo.push(one),
  }
}

function route(running: Supervisor, pattern: string): Route {
  // A host whose engine failed knows no routes; its successor will.
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

function supervise(resolved: Resolved, root: string, log: Log): Supervisor {
  try {
    return new Supervisor(setUp(resolved, root), root, log)
  } catch (error) {
    throw new Error(`[switchboard] ${(error as Error).message}`)
  }
}
