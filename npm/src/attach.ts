/** Switchboard without Vite: on any server of Node's. */

import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

import { attachTo } from './accept/attachment.js'
import { createHandle } from './accept/request.js'
import { createUpgrade, isBelow, isOfVite } from './accept/upgrade.js'
import { resolve } from './config/options.js'
import { accessOf } from './control/settings.js'
import { type Own, type Setup, setUp } from './config/setup.js'
import { faultsOf } from './connection/faults.js'
import { recordingsOf } from './connection/recordings.js'
import { type Place, routeAt } from './connection/route.js'
import { Engine } from './engine/engine.js'
import type { Observer } from './connection/host.js'
import type { Written } from './files/exports.js'
import { HostClock } from './host/clock.js'
import { statsOf } from './host/stats.js'
import { Supervisor } from './host/supervisor.js'
import { createInspector } from './inspector/serve.js'
import type { PluginOptions, SwitchboardOptions } from './interface/options.js'
import type { Reconfiguration } from './interface/reconfiguration.js'
import type { Route } from './interface/route.js'
import type { CloseOptions, HttpServer, Switchboard } from './interface/switchboard.js'
import { asksForDebug, Log } from './log/log.js'
import { Stacks } from './log/stack.js'
import { errorText } from './values/error.js'
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
  /** What serves: a server and its successor share it. */
  running: Supervisor | undefined
  /** Whether handlers are still to come. */
  isLoading(): boolean
  /** Resolves when all handlers are there. */
  loaded(): Promise<void>
  /** What an upgrade request has to wait for, if anything. */
  loadingFor(request: IncomingMessage): Promise<void> | undefined
  /** Has upgrade requests wait, but Vite's own. */
  wait(loading: Promise<void>, which: 'all' | 'below the prefixes'): void
  /**
   * Serves what the options describe now, with these handlers of files: the connections that there are stay where their
   * route does. Throws what is wrong; then nothing has changed. `undefined` when the engine failed.
   */
  reconfigure(written: Written[]): Reconfiguration | undefined
  /** Throws what {@link reconfigure} would. */
  check(written: Written[]): undefined
  /** Undoes what was done to servers; who is connected stays. */
  release(): void
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
  /** What already serves, and goes on until `reconfigure`. */
  before?: Supervisor
  /** Handlers of files. */
  written?: Written[]
  /** Corrects the stacks of errors whose modules it loaded. */
  fixStack?: (error: Error) => void
  /** The names under which it lets pages in by itself. */
  servedHosts?: true | string[]
  /** Sees what passes. */
  observer?: Observer
  /** Whether other pages of the server show the inspector. */
  isFramed?: () => boolean
  /** What a server has that answers everything on its port, as it is now. */
  own?: () => Own
}

/** Starts what the options describe. `root` is where the relative path of a configuration file starts. */
export function start(options: PluginOptions & SwitchboardOptions, root: string, around: Surroundings = {}): Started {
  const { fixStack, servedHosts, before, written = [], observer, isFramed = () => false, own } = around
  const resolved = resolve(options, written)
  let { prefixes, control, inspector } = resolved
  const level = asksForDebug(resolved.environment.DEBUG) ? 'debug' : options.logLevel
  const log = new Log(options.logger, level, new Stacks(root, fixStack))
  if (resolved.ignored.length > 0) {
    log.write('warn', `serves no HTTP: these options mean nothing here: ${resolved.ignored.join(', ')}`)
  }
  if (!resolved.enabled) return { ...DISABLED, log }
  if (prefixes.length === 0 && (options.wsHandlers?.length || options.files)) {
    log.write('warn', 'endpointPrefix is empty, so wsHandlers and files serve nothing; routes need no prefix')
  }
  const isManual = isManualClock(options.clock)
  const running = readable(() => {
    const setup = setUp(resolved, root, servedHosts, log.isDebug, own?.())
    return before ? checked(before, setup) : new Supervisor(setup, root, log, { clock: new HostClock(isManual), observer })
  })
  const undo: (() => void)[] = []
  const undoAll = (): void => {
    for (const one of undo.splice(0)) one()
  }
  const shut = (options?: CloseOptions | null): Promise<void> => close(running, options).then(undoAll)
  let loaded: Promise<void> | undefined
  const handle = createHandle(running)
  const inspect = createInspector(running, () => (inspector ? control : undefined), isFramed)
  const switchboard: Switchboard = {
    upgrade: createUpgrade(running, () => prefixes),
    request: (request, response) => handle(request, response) || inspect(request, response),
    get patterns() {
      return running.host.routes.patterns()
    },
    publish: (feed, value) => running.host.publish(name(feed, 'publish: feed'), value),
    route: (pattern) => route(running, name(pattern, 'route')),
    command: (pattern, command, payload) => route(running, name(pattern, 'command: pattern')).command(command, payload),
    faults: faultsOf(() => [running.host]),
    recordings: recordingsOf(() => running.host),
    stats: () => running.host.stats(),
    get control() {
      return accessOf(control)
    },
    clock: running.clock,
    close: shut,
    [Symbol.asyncDispose]: () => shut(),
  }
  let waiting: 'all' | 'below the prefixes' = 'all'
  const loadingFor = ({ url = '', rawHeaders }: IncomingMessage): Promise<void> | undefined =>
    loaded && (waiting === 'all' || isBelow(url, prefixes)) && !isOfVite(rawHeaders) ? loaded : undefined
  return {
    switchboard,
    log,
    enabled: true,
    running,
    isLoading: () => loaded !== undefined,
    loaded: () => loaded ?? Promise.resolve(),
    loadingFor,
    wait: (loading, which) => {
      waiting = which
      loaded = loading.then(() => (loaded = undefined))
    },
    reconfigure: (written) => {
      const resolved = resolve(options, written)
      const changes = readable(() => running.reconfigure(setUp(resolved, root, servedHosts, log.isDebug, own?.()), root, log))
      ;({ prefixes, control, inspector } = resolved)
      return changes
    },
    check: (written) => readable(() => void checked(running, setUp(resolve(options, written), root, servedHosts, log.isDebug, own?.()))),
    release: undoAll,
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
      const unclaimed = (path: string): void => running.host.unclaimed(path)
      const attached = { upgrade, request: requests ? request : undefined, serves, loadingFor, nearest, untaken, unclaimed, closed }
      undo.push(attachTo(server, attached))
    },
    onClosed: (one) => void undo.push(one),
  }
}

/** Throws what {@link start} would throw of the options, and starts nothing. */
export function check(options: PluginOptions & SwitchboardOptions, root: string, servedHosts?: true | string[]): void {
  const resolved = resolve(options, [])
  if (resolved.enabled) readable(() => new Engine(setUp(resolved, root, servedHosts).data, randomBytes(32), new HostClock(isManualClock(options.clock))))
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

function isManualClock(clock: unknown): boolean {
  if (clock === undefined || clock === null || clock === 'real') return false
  if (clock === 'manual') return true
  throw new TypeError(`[switchboard] clock: expected 'real' or 'manual', got ${typeof clock === 'string' ? `'${clock}'` : shapeOf(clock)}`)
}

/** What stands in where everything is switched off. */
const NOTHING: Switchboard = {
  upgrade: () => false,
  request: () => false,
  patterns: [],
  publish: () => {},
  route: (pattern) => routeAt(pattern, () => []),
  command: () => {},
  faults: faultsOf(() => []),
  recordings: recordingsOf(() => undefined),
  stats: () => statsOf(),
  control: undefined,
  clock: new HostClock(),
  close: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
}

const DISABLED: Omit<Started, 'log'> = {
  switchboard: NOTHING,
  enabled: false,
  running: undefined,
  isLoading: () => false,
  loaded: () => Promise.resolve(),
  loadingFor: () => undefined,
  wait: () => {},
  reconfigure: () => undefined,
  check: () => undefined,
  release: () => {},
  keepSockets: () => {},
  serves: () => false,
  placeOf: () => undefined,
  attach: () => {},
  onClosed: () => {},
}

/** What already serves; throws what is wrong with its next configuration. */
function checked(running: Supervisor, setup: Setup): Supervisor {
  new Engine(setup.data, randomBytes(32), running.clock)
  return running
}

/** Names us in what is thrown. */
function readable<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    const message = errorText(error)
    throw new Error(message.startsWith('[switchboard]') ? message : `[switchboard] ${message}`)
  }
}
