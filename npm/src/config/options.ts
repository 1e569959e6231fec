/** The plugin's options. */

import { name } from '../connection/arguments.js'
import type { Logger } from '../host/logger.js'
import type { OutboundOptions, RouteOptions, WebSocketHandler } from './handler.js'

/** How much is logged. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug'

/** Options of {@link attach} and {@link createSwitchboard}. */
export interface SwitchboardOptions {
  /**
   * The prefix or prefixes of all `wsHandlers`. Every upgrade below one is answered, with HTTP 404 if no handler
   * matches. Default `'/api'`.
   */
  endpointPrefix?: string | string[]
  /**
   * Whether WebSockets are served at all. Default: when there are handlers, routes, a configuration file, or the
   * variable `WEBSOCKET_ENABLED`.
   */
  enableWs?: boolean
  /** The endpoints below the prefix. Default `[]`. */
  wsHandlers?: WebSocketHandler[]
  /** Endpoints for whole paths, or with a prefix of their own; with functions or without. Default `[]`. */
  routes?: RouteOptions[]
  /** The path of a TOML or JSON file with further routes, as the native server reads it. Default: none. */
  config?: string
  /** Switches everything off. Default `false`. */
  disable?: boolean
  /** How much is logged. Default `'info'`. */
  logLevel?: LogLevel
  /** Waits so many ms before each message is handled, on handlers without a `delay`. Default `0`. */
  delay?: number
  /**
   * Whose pages may connect: origins, with `*` for anything in one, or `'*'` for all. Programs may always. Default:
   * pages of the same host, of this machine, and of `allowedHosts`.
   */
  origins?: string | string[]
  /** Hosts whose pages may connect too; a leading dot takes in all subdomains. Default `[]`; in Vite, Vite's. */
  allowedHosts?: string[]
  /** Named streams of JSON values that routes serve. Default `[]`. */
  feeds?: FeedOptions[]
  /** Bounds on what clients can cost. The defaults fit a development server. */
  limits?: LimitOptions
  /** How long in ms a stopping server waits for its clients to close. Default `5000`. */
  shutdownGrace?: number
  /**
   * The variables that `${NAME}` stands for in the URLs, headers and credentials of proxies, and those that add mock
   * events and proxies as mock-api-server 1.x has them (`WEBSOCKET_ENABLED`, …), before all other routes. Default: the
   * process's; in Vite also those of its `.env` files.
   */
  environment?: Record<string, string | undefined>
  /** Where log lines go. Default: the console; in Vite, Vite's logger. */
  logger?: Logger
}

/** Options of the Vite plugin. */
export interface PluginOptions extends Omit<SwitchboardOptions, 'logger'> {
  /** Whether `vite preview` serves the WebSockets too. Default `true`. */
  enablePreview?: boolean
  /** @deprecated Accepted for configurations of vite-plugin-universal-api; Switchboard serves no HTTP. */
  fsDir?: unknown
  /** @deprecated As `fsDir`. */
  handlers?: unknown
  /** @deprecated As `fsDir`. */
  parser?: unknown
  /** @deprecated As `fsDir`. */
  pagination?: unknown
  /** @deprecated As `fsDir`. */
  filters?: unknown
  /** @deprecated As `fsDir`. */
  gatewayTimeout?: unknown
  /** @deprecated As `fsDir`. */
  errorMiddlewares?: unknown
  /** @deprecated As `fsDir`. */
  handlerMiddlewares?: unknown
  /** @deprecated As `fsDir`. */
  noHandledRestFsRequestsAction?: unknown
  /** @deprecated As `fsDir`. */
  disablePureFsApi?: unknown
}

/** A stream of JSON values, and what is remembered of it. */
export interface FeedOptions {
  /** What routes and publishers call it. */
  name: string
  /** The fields that may hold a value's key; the first one that a value has counts. Default `[]`. */
  key?: string[]
  /** Values remembered per key. Default `100`. */
  history?: number
  /** Keys remembered. Default `10000`. */
  keys?: number
  /** Takes values by HTTP `POST`: one, an array of them, or one per line. `true`: at `/feeds/<name>`. */
  post?: boolean | { path?: string; token?: string; maxBody?: number }
  /** Publishes values in turn, every so many ms; their texts may have placeholders, as `{fake.name}`. */
  interval?: { every: number; values: unknown[] }
  /** Publishes a recording, one JSON value per line, at a fixed pace or with its own distances. */
  replay?: ReplayOptions
  /** Publishes what another WebSocket server says. */
  upstream?: UpstreamOptions
}

/** A recording and its pace; times in ms. */
export interface ReplayOptions {
  /** The file; relative paths begin at Vite's root, without Vite in the working directory. */
  file: string
  /** Between two values. Default `1000`, unless there is a `timestamp`. */
  every?: number
  /** Values that come at once with `every`. Default `1`. */
  batch?: number
  /** The field that says when a value came about; with it the values keep their distances. */
  timestamp?: string
  /** How much faster than it came about. Default `1`. */
  speed?: number
  /** The longest distance between two values with `timestamp`. */
  maxPause?: number
  /** Before the first value. Default `0`. */
  delay?: number
  /** Whether to start again after the last value. Default `false`. */
  loop?: boolean
}

/** Another server; times in ms, sizes in bytes. */
export interface UpstreamOptions {
  /** `ws://` or `wss://`. */
  url: string
  /** Of the opening handshake. */
  headers?: Record<string, string>
  /** To offer. */
  subprotocols?: string[]
  /** What to say after each opening: text as it is, everything else as JSON. */
  send?: unknown[]
  /** The field of each message that is the value. Default: the whole message. */
  field?: string
  /** For the opening. Default `10000`. */
  timeout?: number
  /** Before the first attempt to connect again; doubles with each that fails. Default `1000`. */
  retry?: number
  /** The longest pause between attempts. Default `60000`. */
  maxRetry?: number
  /** The largest message. Default `16777216`. */
  maxMessage?: number
}

/** Bounds on what clients can cost; times in ms, sizes in bytes. */
export interface LimitOptions {
  /** Connections at once; one more is answered with HTTP 503. Default `10000`. */
  maxConnections?: number
  /** Connections at once from one address; one more is answered with HTTP 429. Default: no bound. */
  maxConnectionsPerAddress?: number
  /** How many messages a client may send; with more it is closed with 1008. Default: no bound. */
  messageRate?: { perSecond: number; burst?: number }
  /** Rooms that one connection can be in. Default `1000`. */
  roomsPerConnection?: number
  /** Length of a room's name. Default `256`. */
  roomNameBytes?: number
  /** Messages of one connection that wait for its handler; with more, nothing is read from it. Default `256`. */
  pendingMessages?: number
  /** Length of the opening handshake's request; a longer one is answered with HTTP 431. Default `16384`, Node's own. */
  handshakeBytes?: number
  /** For the opening handshake. Default `10000`. */
  handshakeTimeout?: number
  /** For an `authenticate` function; then HTTP 503. Default `10000`. */
  authenticateTimeout?: number
  /**
   * For any other function; then it counts as failed, and the next message is handled. JavaScript cannot stop it: it
   * runs on, its result is ignored, and what it still sends goes out when it sends it. `false`: for ever. Default
   * `30000`.
   */
  handlerTimeout?: number | false
  /** From a close frame to the client's answer; then the socket is dropped. Default `10000`. */
  closeTimeout?: number
  /** What may wait for a client that does not read. */
  outbound?: OutboundOptions
  /** How deep JSON may nest for rules to read it. Default `128`. */
  jsonDepth?: number
}

/** What options look like when nothing is left to default. */
export interface Resolved {
  enabled: boolean
  prefixes: string[]
  handlers: WebSocketHandler[]
  routes: RouteOptions[]
  /** Keys as the user wrote them, for the engine to find mistakes in. */
  given: string[]
  /** Keys that mean something only to the plugin that served HTTP too. */
  ignored: string[]
  environment: Record<string, string>
  options: PluginOptions
}

/** The keys that exist. */
export const KNOWN_KEYS = [
  'endpointPrefix',
  'enableWs',
  'wsHandlers',
  'routes',
  'config',
  'disable',
  'logLevel',
  'delay',
  'origins',
  'allowedHosts',
  'feeds',
  'limits',
  'shutdownGrace',
  'environment',
  'logger',
  'enablePreview',
]

const HTTP_KEYS = [
  'fsDir',
  'handlers',
  'parser',
  'pagination',
  'filters',
  'gatewayTimeout',
  'errorMiddlewares',
  'handlerMiddlewares',
  'noHandledRestFsRequestsAction',
  'disablePureFsApi',
]

/** Fills in the defaults that decide whether anything is served. A key that is `null` is as if it were not there. */
export function resolve(given: PluginOptions): Resolved {
  const options = withoutNull(given)
  const prefixes = normalizePrefixes(options.endpointPrefix ?? '/api')
  const keys = Object.keys(options)
  const handlers = prefixes.length > 0 ? (options.wsHandlers ?? []) : []
  const routes = options.routes ?? []
  // A key that is unknown may be a misspelt one of these, and is to be complained about.
  const environment = defined(options.environment ?? process.env)
  const isUseful =
    ['wsHandlers', 'routes', 'config'].some((key) => keys.includes(key)) || Boolean(environment.WEBSOCKET_ENABLED)
  const isMisspelt = keys.some((key) => !KNOWN_KEYS.includes(key) && !HTTP_KEYS.includes(key))
  return {
    enabled: !options.disable && (options.enableWs ?? (isUseful || isMisspelt)),
    prefixes,
    handlers,
    routes,
    given: keys.filter((key) => !HTTP_KEYS.includes(key)),
    ignored: keys.filter((key) => HTTP_KEYS.includes(key)),
    environment,
    options,
  }
}

/** The same without the keys whose value is `null` or `undefined`. */
export function withoutNull<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null)) as T
}

function defined(variables: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
}

/** With a leading slash and without a trailing one; an empty prefix and `/` are none. */
function normalizePrefixes(prefix: string | string[]): string[] {
  const prefixes = [prefix].flat().map((text) => name(text, '[switchboard] endpointPrefix').split('/').filter(Boolean).join('/'))
  return [...new Set(prefixes.filter(Boolean).map((text) => `/${text}`))]
}
