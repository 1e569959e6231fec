/** The options of the plugin and of a server. */

import type { ControlOptions } from './control.js'
import type { AsyncApi, FeedConfig, LimitsConfig } from './configuration.js'
import type { RouteOptions, WebSocketHandler } from './handler.js'

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
  /**
   * How much is logged. `'debug'` shows who connects, each message in short, and how connections are refused and end;
   * messages that may hold a secret are not shown. The variable `DEBUG=switchboard` has the same effect. Default `'info'`.
   */
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
  /**
   * An AsyncAPI 3 document: a JSON or YAML file, or an object with more. Its channels become routes with contracts that answer
   * with its examples; handlers and routes that are here for such a path get their contract from it. Default: none.
   */
  asyncapi?: AsyncApi
  /** Named streams of JSON values that routes serve. Default `[]`. */
  feeds?: FeedConfig[]
  /** Limits on what clients can cost. The defaults suit a development server. */
  limits?: LimitsConfig
  /**
   * The folder of the recordings that are started through the control API. A relative path begins in Vite's `root`, or in the
   * working directory. Default `'recordings'`.
   */
  recordings?: string
  /** How long in ms a stopping server waits for its clients to close. Default `5000`. */
  shutdownGrace?: number
  /**
   * The variables that `${NAME}` stands for in the URLs, headers and credentials of proxies, and those that add mock
   * events and proxies as mock-api-server 1.x has them (`WEBSOCKET_ENABLED`, …), before all other routes. Default: the
   * process's; in Vite also those of its `.env` files.
   */
  environment?: Record<string, string | undefined>
  /**
   * What moves time: `'real'`, the system's clock, or `'manual'`, `clock` of the server alone, for tests. Vite's server has
   * the system's. Default `'real'`.
   */
  clock?: 'real' | 'manual'
  /**
   * The control API below `/__switchboard/api/v1`, by which a program that knows its token looks at the server and acts on it.
   * Default `false`; in Vite's development server `true`, for clients of this machine. Its token is random unless it is
   * written here, and `control` of the server has it. Where this option is written, Vite prints it too.
   */
  control?: boolean | ControlOptions
  /**
   * A page at `/__switchboard/` that shows every connection and message and acts on them, for who may use the control API: it
   * hands the token to pages of its own origin. Needs `control`. Default `false`; in Vite `true` where `control` is on.
   */
  inspector?: boolean
  /** Where log lines go. Default: the console; in Vite, Vite's logger. */
  logger?: Logger
}

/** Options of the Vite plugin. */
export interface PluginOptions extends Omit<SwitchboardOptions, 'logger' | 'clock'> {
  /** Whether `vite preview` serves the WebSockets too. Default `true`. */
  enablePreview?: boolean
  /**
   * Globs of handler files, relative to Vite's root, such as `'ws/**\/*.ts'`; one that begins with `!` takes files out. A
   * file's default export is a handler or a list of them, and other exports may be handlers too. They are served as
   * `wsHandlers` are; one without a pattern gets it from the file's path: `ws/chat/[room].ts` is `/ws/chat/{room}`. An edit
   * is live at once: connections, rooms and `conn.metadata` stay. Default: none.
   */
  files?: string | string[]
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

/** Takes log lines. Vite's logger is one, and so is the console. */
export interface Logger {
  info(line: string): void
  warn(line: string): void
  error(line: string): void
}
