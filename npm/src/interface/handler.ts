/** Handlers and routes: their functions and their settings. */

import type { Awaitable } from './awaitable.js'
import type { CommandsOptions } from './commands.js'
import type {
  ActionsOptions,
  ClientConditions,
  Condition,
  Contract,
  Dialect,
  EventsOptions,
  Fault,
  Match,
  OutboundConfig,
  ReplayOptions,
  HistoryConfig,
  RecordConfig,
  Rule,
  Scenario,
  ToggleCompressionConfig,
  TogglePerMessageDeflateConfig,
  ToggleResponseBroadcast,
  TopicsOptions,
} from './configuration.js'
import type { UpgradeRequest, WebSocketConnection } from './connection.js'
import type { PhoenixOptions } from './phoenix.js'
import type { ProxyOptions } from './proxy.js'
import type { StandardSchema } from './schema.js'

/** The long form of what `authenticate` returns. */
export interface AuthenticateResult<AuthData = any> {
  /** Whether the client may connect. */
  success: boolean
  /**
   * With `success: false`: the close code that the client gets after a completed handshake, 1000–1003, 1007–1014 or
   * 3000–4999. Default: none, the handshake is refused with `status`.
   */
  code?: number
  /** The close reason, at most 123 bytes. Default `''`. */
  reason?: string
  /** With `success: false` and no `code`: the HTTP status of the answer, 400–599. Default `401`. */
  status?: number
  /** Headers of that answer, such as `{ 'retry-after': '5' }`. Default `{}`. */
  headers?: Record<string, string>
  /** With `success: true`: what becomes `conn.authData`. Default `undefined`. */
  data?: AuthData
}

/** Admits clients by a token, without code. */
export interface TokenAuthentication<AuthData = unknown> {
  /** Where the token is found, and which ones are valid. */
  token: {
    /** The query parameter, such as `token` in `?token=…`. */
    query?: string
    /** Or the header. If both are given, the query comes first. A leading `Bearer ` is not part of the token. */
    header?: string
    /** The valid tokens, each with its `authData`; or just a list. */
    values: Record<string, AuthData> | string[]
  }
  /** The answer to clients without a token. Default HTTP 401. */
  missing?: { code?: number; reason?: string; status?: number; headers?: Record<string, string> }
  /** The answer to clients with another token. Default HTTP 401. */
  invalid?: { code?: number; reason?: string; status?: number; headers?: Record<string, string> }
}

/**
 * Who may connect. `false`: everyone. `true`: clients with an `Authorization` header that is not blank. A text: clients
 * with that header. A function decides itself: only `true` and `success: true` admit a client. Anything that is neither
 * yes nor no is answered with HTTP 401 and a line in the log, and an error with 500.
 */
export type Authenticate<AuthData = any, Params = Record<string, string>> =
  | boolean
  | string
  | TokenAuthentication
  | ((request: UpgradeRequest<Params>) => Awaitable<boolean | AuthenticateResult<AuthData>>)

/** The answer to messages of one kind. */
export interface ResponseRule<Message = any, AuthData = any, Params = Record<string, string>, Sends = unknown> {
  /** The messages that it answers: a function, or fields to compare. Default, without functions: all. */
  match?:
    | ((connection: WebSocketConnection<AuthData, Params, Sends>, message: Message) => unknown)
    | Match
  /** What to send, or a function that makes it. `undefined` sends nothing. */
  response:
    | ((connection: WebSocketConnection<AuthData, Params, Sends>, message: Message) => unknown)
    | {}
    | null
    | undefined
  /**
   * Who receives it. Default `false`: the sender. `true`: the others in the sender's rooms. An object: everyone on
   * the route, or in its `room`; the sender too with `includeSelf`.
   */
  broadcast?: ToggleResponseBroadcast | null
}

/** The functions of a handler. Those of one connection are awaited one after another. */
export interface Callbacks<Message = any, AuthData = any, Params = Record<string, string>, Sends = unknown> {
  /**
   * Turns the bytes of a message into what `responses` and `onMessage` get. Default: text as `parse` says, binary as
   * a `Buffer`.
   */
  transformRawData?: (raw: Buffer) => unknown
  /** The connection is open. If it throws, the connection is closed with 1011. Default: nothing. */
  onConnect?: (connection: WebSocketConnection<AuthData, Params, Sends>, request: UpgradeRequest<Params>) => unknown
  /** A message came that no entry of `responses` matched. Default: nothing. */
  onMessage?: (connection: WebSocketConnection<AuthData, Params, Sends>, message: Message) => unknown
  /** A ping came. With this function it is not answered by itself. Default: a pong. */
  onPing?: (connection: WebSocketConnection<AuthData, Params, Sends>, data: Buffer) => unknown
  /** A pong came. Default: nothing. */
  onPong?: (connection: WebSocketConnection<AuthData, Params, Sends>, data: Buffer) => unknown
  /**
   * The connection has ended, in whatever way; called once. 1005: no code; 1006: no close frame. `initiatedByClient` is
   * also true when the client was cut off. Default: nothing.
   */
  onClose?: (
    connection: WebSocketConnection<AuthData, Params, Sends>,
    code: number,
    reason: string,
    initiatedByClient: boolean,
  ) => unknown
  /**
   * Another function threw, the client broke the protocol, or a message does not fit the schema `message`
   * (`InvalidMessageError`). Default: the client is sent `{"type":"error","message":…}`.
   */
  onError?: (connection: WebSocketConnection<AuthData, Params, Sends>, error: Error) => unknown
}

/** The settings of an endpoint that do not depend on its functions. */
export interface HandlerSettings {
  /** Whether the handler is as if it were not there. Default `false`. */
  disabled?: boolean
  /** Waits so many ms before each message. Default: the plugin's `delay`. */
  delay?: number
  /**
   * Whose pages may connect: origins, with `*` for anything in one, or `'*'` for all; others get HTTP 403. Default:
   * the plugin's `origins`.
   */
  origins?: string | string[]
  /** What becomes of text messages: `'json'` parses (text that is no JSON stays text), `'text'`, or `'none'` for a
   * `Buffer`. Default `'json'`. */
  parse?: 'json' | 'text' | 'none'
  /**
   * The subprotocols that the handler speaks, `*` for any; the client's first among them is chosen. Default `['*']`
   * for `wsHandlers`, as in vite-plugin-universal-api, and `[]` for `routes`.
   */
  subprotocols?: string[]
  /** Ms between pings; after three without a pong the connection is closed. Default `false`. */
  heartbeat?: number | false
  /** Ms of silence after which the connection is closed. Default `false`. */
  inactivityTimeout?: number | false
  /** The room that every connection joins first. Default `false`. */
  defaultRoom?: string | false
  /** Compression in short. Default `false`. */
  compression?: ToggleCompressionConfig
  /** Compression with every parameter. Default `false`. */
  perMessageDeflate?: TogglePerMessageDeflateConfig
  /** The largest message taken, in bytes after inflating; a larger one closes with 1009. Default 16 MiB. */
  maxPayload?: number
  /** What may wait for a client that does not read, and what happens then. Default: `limits.outbound`. */
  outbound?: OutboundConfig
  /**
   * What messages have to be, as JSON Schema: `receives` those from clients, `sends` those to them, each a schema or the path
   * of a JSON or YAML file; `'warn'` or `'refuse'` alone where an AsyncAPI document describes the route. It is for what passes
   * on the wire: `message` validates what your functions get, and gives it a type. Default: anything.
   */
  contract?: Contract
  /** What goes wrong on purpose, to test how clients take it. Default `[]`. */
  faults?: Fault[]
  /** A state of the network or the server, as a list of faults; those of `faults` come on top. Default none. */
  condition?: Condition
  /**
   * The conditions that a client may choose for its own connection, by the query's parameter `switchboard-fault` or by a
   * header of that name: `true` for all, or a list. Default `false`.
   */
  clientConditions?: ClientConditions
  /**
   * The file that the route is recorded in, as JSON Lines that can be read and replayed: what passes between the clients and
   * the server, without credentials. `mask` has regular expressions for other secrets. Default none.
   */
  record?: RecordConfig
  /**
   * How much of what is said in rooms is kept, so that a client that connects again with `switchboard-history` in its query
   * gets what it missed, or one for which a function calls `conn.recover`, or one that joins a topic of Phoenix with
   * `switchboard-history` in its payload: `size` messages of each room (default 100), for `ttl` ms (default 300000),
   * `maxBytes` (default 524288). Default: nothing is kept.
   */
  history?: HistoryConfig
}

/** One endpoint. */
export interface WebSocketHandler<Message = any, AuthData = any> extends HandlerSettings, Callbacks<Message, AuthData> {
  /**
   * The paths, below the endpoint prefix: `?` one character, `*` within a segment, `**` any segments, `{name}` a
   * parameter, `{name:regex}` one that a regular expression matches. The first handler that matches serves.
   */
  pattern: string
  /** Who may come in. Default `false`: everyone. */
  authenticate?: Authenticate<AuthData>
  /**
   * What messages have to be, as a Standard Schema (zod, valibot, ArkType): `responses` and `onMessage` get what it makes
   * of them. A message that does not fit is given to `onError` as an `InvalidMessageError`; the connection stays open.
   * Default: any.
   */
  message?: StandardSchema<any, Message>
  /** Answers that are tried before `onMessage`; the first that matches is the only one. Default `[]`. */
  responses?: ResponseRule<Message, AuthData>[]
}

/** One endpoint that may do without functions. The same keys stand in the native server's configuration. */
export interface RouteOptions<Message = any, AuthData = any> extends RouteSettings, WebSocketHandler<Message, AuthData> {}

/** The settings of a route that do not depend on its functions. */
export interface RouteSettings extends HandlerSettings {
  /** The prefix or prefixes below which the pattern counts. Default: none, the pattern is for whole paths. */
  prefix?: string | string[]
  /**
   * What the route does: `'handlers'` leaves all to the functions, `'echo'` sends messages back, `'relay'` sends them
   * to the others in the room, `'rules'` does what `rules` say; the others speak like systems that exist. Default
   * `'handlers'`, but `'rules'` where there are rules, `'events'` where there are events, and
   * `'proxy'`, `'replay'` or `'scenario'` where there is one.
   */
  dialect?: Dialect
  /** The settings of the dialect `actions`. */
  actions?: ActionsOptions
  /** The settings of the dialect `topics`. */
  topics?: TopicsOptions
  /** The settings of the dialect `commands`. */
  commands?: CommandsOptions
  /** The settings of the dialect `events`, or just its events. */
  events?: EventsOptions
  /** The settings of the dialect `phoenix`, its channels' functions among them. */
  phoenix?: PhoenixOptions
  /** Where the dialect `proxy` connects clients to: a `ws://` or `wss://` URL, or an object with more. */
  proxy?: string | ProxyOptions
  /** The recording that the dialect `replay` plays: its file, and how. */
  replay?: ReplayOptions
  /** What the server does in each conversation, for the dialect `scenario`: a list of steps, an object with more, or a file. */
  scenario?: Scenario
  /** The room of a relay. Default `'{connection.path}'`. */
  room?: string
  /** What to do on which event, as data. Default `[]`. */
  rules?: Rule[]
}
