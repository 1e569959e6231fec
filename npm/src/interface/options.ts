/** The options of the plugin and of a server. */

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
  /** Ms to wait before each message is handled, on handlers without a `delay` of their own. Default `0`. */
  delay?: number
  /**
   * The origins whose pages may connect, in which `*` stands for anything, or `'*'` for all. Clients that send no `Origin`,
   * as programs do, may always connect. Default: pages of the same host and of this machine.
   */
  origins?: string | string[]
  /**
   * The names under which pages may reach the server, besides IP addresses, `localhost` and `*.localhost`: a list, in
   * which a leading dot includes all subdomains, or `true` for all. Other names are answered 403, as a page could have
   * pointed its own name here (DNS rebinding). Clients that send no `Origin`, as programs do, may open WebSockets and ask
   * for status pages under any name. Default `[]`. In Vite, `server.allowedHosts` counts too, and with `server.https` all
   * names are allowed, as Vite has it: there a certificate protects.
   */
  allowedHosts?: true | string[]
  /** Named streams of JSON values that routes serve. Default `[]`. */
  feeds?: FeedOptions[]
  /** Limits on what clients can cost. The defaults suit a development server. */
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

/** A stream of JSON values, and how many of them are kept. */
export interface FeedOptions {
  /** The name by which routes and publishers refer to it. */
  name: string
  /** The fields that may hold a value's key; the first one that a value has counts. Default `[]`. */
  key?: string[]
  /** How many values are kept for each key. Default `100`. */
  history?: number
  /** How many keys are kept. Default `10000`. */
  keys?: number
  /**
   * How much all kept values and their keys may hold together, in bytes of memory, about; those of the key that has had no
   * value for longest are dropped first. Default 16 MiB (`16777216`).
   */
  maxBytes?: number
  /** Takes values by HTTP `POST`: one, an array of them, or one per line. `true`: at `/feeds/<name>`. */
  post?: boolean | { path?: string; token?: string; maxBody?: number; maxValues?: number }
  /** Publishes values in turn, at an interval in ms; their texts may have placeholders such as `{fake.name}`. */
  interval?: { every: number; values: unknown[] }
  /** Replays a recording, one JSON value per line, at a fixed interval or as it was recorded. */
  replay?: ReplayOptions
  /** Publishes the messages of another WebSocket server. */
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
  /** The field with the time of a value; with it the values keep the intervals at which they were recorded. */
  timestamp?: string
  /** How much faster than it was recorded. Default `1`. */
  speed?: number
  /** The longest interval between two values with `timestamp`. */
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
  /** The messages to send whenever it has opened: text as it is, everything else as JSON. */
  send?: unknown[]
  /** The field of each message that is the value. Default: the whole message. */
  field?: string
  /** For the opening. Default `10000`. */
  timeout?: number
  /** The pause before the first attempt to reconnect; it doubles with each attempt that fails. Default `1000`. */
  retry?: number
  /** The longest pause between attempts. Default `60000`. */
  maxRetry?: number
  /** The largest message. Default `16777216`. */
  maxMessage?: number
}

/** Limits on what clients can cost; times in ms, sizes in bytes. */
export interface LimitOptions {
  /** Connections at once; one more is answered with HTTP 503. Default `10000`. */
  maxConnections?: number
  /** Connections at once from one address; one more is answered with HTTP 429. Default: no limit. */
  maxConnectionsPerAddress?: number
  /** How many messages a client may send; with more it is closed with 1008. Default: no limit. */
  messageRate?: { perSecond: number; burst?: number }
  /** Rooms that one connection can be in. Default `1000`. */
  roomsPerConnection?: number
  /** Length of a room's name. Default `256`. */
  roomNameBytes?: number
  /** Messages of one connection that wait for its handler; with more, nothing is read from it. Default `256`. */
  pendingMessages?: number
  /**
   * Bytes of incomplete messages that all connections may hold together; with more, the connection that holds the most is
   * closed with 1013, or with 1009 if one message alone has more. Default `268435456`.
   */
  inboundBytes?: number
  /** Length of the opening handshake's request; a longer one is answered with HTTP 431. Default `16384`, Node's own. */
  handshakeBytes?: number
  /** For the opening handshake. Default `10000`. */
  handshakeTimeout?: number
  /** For an `authenticate` function; then HTTP 503. Default `10000`. */
  authenticateTimeout?: number
  /**
   * For any other function; then it counts as failed, and the next message is handled. JavaScript cannot stop it: it
   * runs on, its result is ignored, and what it still sends is sent. `false`: no limit. Default `30000`.
   */
  handlerTimeout?: number | false
  /**
   * From a close frame to the client's answer, or from when the client last took some of what was sent before; then the
   * socket is dropped, after six times as long in any case. Default `10000`.
   */
  closeTimeout?: number
  /** How much may wait for a client that reads too slowly. */
  outbound?: OutboundOptions
  /** How deeply JSON may nest for rules to read it. Default `128`. */
  jsonDepth?: number
}

/** Takes log lines. Vite's logger is one, and so is the console. */
export interface Logger {
  info(line: string): void
  warn(line: string): void
  error(line: string): void
}
