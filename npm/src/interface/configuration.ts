/** The configuration as data. Written by `cargo xtask schema` from the Rust types, as `schema.json` is. */

/** The configuration of a server. */
export interface Config {
  /** Where the native server listens. The Vite plugin serves at Vite's own address. */
  listen?: ListenConfig
  /** The prefixes of all routes' patterns, such as `/api`: one or a list. Default none: patterns match whole paths. */
  prefix?: Prefixes
  /** Wait this many ms before each message is handled, on routes without a `delay` of their own. Default 0. */
  delay?: number
  /**
   * The origins whose pages may connect: a list, in which `*` stands for anything, or `"*"` for all. Default: pages of
   * the same host and of this machine. Clients that send no `Origin`, as programs do, may always connect.
   */
  origins?: Origins
  /**
   * The names under which pages may reach the server, besides IP addresses, `localhost`, `*.localhost` and
   * `listen.host`: a list, in which a leading dot includes all subdomains, or `true` for all. Other names are answered
   * 403, as a page could have pointed its own name here (DNS rebinding). Clients that send no `Origin`, as programs do,
   * may open WebSockets and ask for status pages under any name. In Vite, Vite's `server.allowedHosts` counts too.
   * Default none.
   */
  allowedHosts?: AllowedHosts
  /** The routes. The first one whose pattern matches a path serves it. */
  routes?: RouteConfig[]
  /**
   * An AsyncAPI 3 document: a JSON or YAML file, or an object with more. Its channels become routes with contracts that
   * answer with its examples; routes that are here for such a path get their contract from it. Default none.
   */
  asyncapi?: AsyncApi | null
  /** Named streams of JSON values that routes serve. */
  feeds?: FeedConfig[]
  /** Limits on what clients can cost. */
  limits?: LimitsConfig
  /**
   * The folder of the recordings that are started through the control API. A relative path begins in the folder of the
   * configuration. Default `recordings`.
   */
  recordings?: string
  /**
   * Makes this server one node of several: rooms, presence and feeds reach the clients of all of them, through a broker
   * that they share. For the native server; the Vite plugin serves alone and says so once. Default none.
   */
  cluster?: ClusterConfig | null
  /** How long in ms a stopping server waits for its clients to close. Default 5000. */
  shutdownGrace?: number
  /** The JSON Schema, for editors; it has no effect. */
  $schema?: string | null
}

/** An address of this machine. */
export interface ListenConfig {
  /** A name or an IP address. Default `127.0.0.1`: this machine only. `0.0.0.0` is every IPv4 network. */
  host?: string
  /** Default 4004. 0 takes any free port. */
  port?: number
  /**
   * Whether broadcasts to many clients are written in the cheapest way that Linux has and allows: small messages
   * through io_uring, large ones as pages that all receivers share. False: one copy and one system call for each
   * receiver. Nothing else differs. Default true.
   */
  ioUring?: boolean
  /**
   * Serves `wss://` and `https://` with this certificate. Default none: `ws://` and `http://`. In Vite the plugin serves
   * on Vite's port, whose certificate is Vite's own, `server.https`.
   */
  tls?: TlsConfig | null
}

/**
 * The certificate that the server shows. The files are read once, at the start; a path that is not absolute begins in
 * the configuration file's folder.
 */
export interface TlsConfig {
  /** A PEM file with the certificate, followed by those of its chain: `fullchain.pem`. */
  cert: string
  /** A PEM file with its private key, without a password: `privkey.pem`. */
  key: string
}

/** A path prefix such as /api, or a list of such. */
export type Prefixes = string | string[]

export type Origins = string | string[]

export type AllowedHosts = boolean | string[]

/** A route: which paths it serves, and how. */
export interface RouteConfig {
  /**
   * The paths, after the prefix if there is one: `?` one character, `*` within a segment, `**` any segments,
   * `{name}` a parameter, `{name:regex}` one that a regular expression matches.
   */
  pattern: Pattern
  /** The prefixes of this pattern; with an empty list it matches whole paths. Default: the server's `prefix`. */
  prefix?: Prefixes | null
  /** Whether the route is switched off, as if it were not there. Default false. */
  disabled?: boolean
  /**
   * What the route does. Default `handlers`, but `rules` where there are rules or responses, `events` where there
   * are events, and `proxy`, `replay` or `scenario` where there is one.
   */
  dialect?: Dialect | null
  /** Wait this many ms before each message is handled. Default: the server's `delay`. */
  delay?: number | null
  /** What handlers get for a text message. Default `json`. */
  parse?: Parse
  /** Subprotocols that the route speaks, `*` for any. A client's first offer among them is chosen. Default none. */
  subprotocols?: string[]
  /** Ms between pings; after three without a pong the connection is closed. Default off. */
  heartbeat?: Interval
  /** Ms of silence after which the connection is closed. Default off. */
  inactivityTimeout?: Interval
  /** The room that every connection joins first. Default none. */
  defaultRoom?: RoomSwitch
  /** Compression, the short form. Default off. */
  compression?: ToggleCompressionConfig | null
  /** Compression, every parameter. Default off. */
  perMessageDeflate?: TogglePerMessageDeflateConfig | null
  /** The largest message in bytes, after inflating; a larger one closes with 1009. Default 16 MiB (16777216). */
  maxPayload?: number
  /** Who may come in. Default everyone. */
  authenticate?: Authenticate
  /** The origins whose pages may connect. Default: the server's `origins`. */
  origins?: Origins | null
  /** How much may wait for a client that reads too slowly. Default: the server's `limits.outbound`. */
  outbound?: OutboundConfig | null
  /** With the dialect `relay`: the room, by default `{connection.path}`, so that each path is its own. */
  room?: Template | null
  /** What goes wrong on purpose, to test how clients take it. Default nothing. */
  faults?: Fault[]
  /** A state of the network or the server, as a list of faults; those of `faults` come on top. Default none. */
  condition?: Condition | null
  /**
   * The conditions that a client may choose for its own connection, by the query's parameter `switchboard-fault` or by a
   * header of that name: `true` for all, or a list. Default none.
   */
  clientConditions?: ClientConditions
  /**
   * What messages have to be, as JSON Schema, and what becomes of those that are not: an object, or with an AsyncAPI
   * document that describes the route just `warn` or `refuse`. Default: anything.
   */
  contract?: Contract | null
  /**
   * The file that the route is recorded in, as JSON Lines that can be read and replayed: what passes between the clients
   * and the server, without credentials. Default none.
   */
  record?: RecordConfig | null
  /**
   * How much of what is said in rooms is kept, so that a client that connects again with `switchboard-history` in its
   * query, or to a topic of Phoenix with it in the payload of its join, gets what it missed; `{}` for the defaults. With
   * the dialects `handlers`, `relay`, `rules`, `actions`, `topics` and `phoenix`. Default nothing.
   */
  history?: HistoryConfig | null
  /** The feeds whose values your own handler receives. Dialects have a setting of their own for theirs. Default none. */
  feeds?: string[]
  /** The settings of the dialect `actions`. */
  actions?: ActionsOptions | null
  /** The settings of the dialect `commands`. */
  commands?: CommandsOptions | null
  /** The settings of the dialect `events`, or just its events. */
  events?: EventsOptions | null
  /** The settings of the dialect `topics`. */
  topics?: TopicsOptions | null
  /** The settings of the dialect `phoenix`. */
  phoenix?: PhoenixOptions | null
  /** The server to connect clients to: a URL, or an object with more. */
  proxy?: Proxy | null
  /** The recording to replay. */
  replay?: ReplayOptions | null
  /** What the server does in each conversation: a list of steps, an object with more, or the file of one. */
  scenario?: Scenario | null
  /** Answers to messages, tried before `rules`. */
  responses?: ResponseConfig[]
  /** What to do when an event happens. */
  rules?: Rule[]
}

export type Pattern = string

/** What a route does with its messages. */
export type Dialect =
  | 'handlers'
  | 'echo'
  | 'relay'
  | 'rules'
  | 'actions'
  | 'topics'
  | 'commands'
  | 'events'
  | 'phoenix'
  | 'proxy'
  | 'replay'
  | 'scenario'

/** What becomes of a text message before handlers get it. Binary messages stay bytes. */
export type Parse = 'json' | 'text' | 'none'

/** A time in ms; false or 0 is off. */
export type Interval = number | false

/** A room's name, or false for none. */
export type RoomSwitch = string | false

export type ToggleCompressionConfig = boolean | CompressionConfig

/** The short form: whether to compress, and from what size on. */
export interface CompressionConfig {
  /** Whether compression is offered to clients that ask for it. Default true. */
  enabled?: boolean
  /** Messages shorter than this many bytes are sent as they are. Default 1024. */
  threshold?: number | null
}

export type TogglePerMessageDeflateConfig = boolean | PerMessageDeflateConfig

/** The long form: every parameter of the extension. */
export interface PerMessageDeflateConfig {
  /**
   * The server compresses each message on its own. Default true: a broadcast is compressed once for all receivers.
   * With false, each connection has its own compressor, unless the client asks otherwise.
   */
  serverNoContextTakeover?: boolean | null
  /**
   * The client compresses each message on its own. Default true. With false, messages become smaller, and the
   * server keeps a window of what each connection sent.
   */
  clientNoContextTakeover?: boolean | null
  /** The server's largest window, as a power of two: 9 to 15. Default 15. */
  serverMaxWindowBits?: number | null
  /** The client's largest window, as a power of two: 8 to 15. Default 15. It only binds clients that offer the parameter. */
  clientMaxWindowBits?: number | null
  /** Messages shorter than this many bytes are sent as they are. Default 1024. */
  threshold?: number | null
  /** How hard to compress: 0 to 9. Default 6. */
  level?: number | null
  /**
   * Refuse with HTTP 400 a client whose offers of compression are all unacceptable, instead of going on without.
   * Default false.
   */
  strict?: boolean
}

export type Authenticate = boolean | string | TokenConfig

/** Admits clients by a list of tokens. */
export interface TokenConfig {
  /** Where the token is found, and which ones are valid. */
  token: TokenPlaceConfig
  /** The answer to clients without a token. Default HTTP 401. */
  missing?: RefusalConfig
  /** The answer to clients with another token. Default HTTP 401. */
  invalid?: RefusalConfig
}

/** Where a token is found, and which ones are valid. */
export interface TokenPlaceConfig {
  /** The query parameter, such as `token` in `?token=…`. Browsers can send it only there. */
  query?: string | null
  /** Or the header. If both are given, the query comes first. A leading `Bearer ` is not part of the token. */
  header?: string | null
  /** The valid tokens, each with the `authData` of clients that have it; or just a list. */
  values: Record<string, unknown> | string[]
}

/** How a client is refused: with a close code, which a browser's page can read, or with an HTTP status. */
export interface RefusalConfig {
  /** Complete the upgrade, then close with this: 1000–1003, 1007–1014 or 3000–4999. */
  code?: number | null
  /** The reason for the code, at most 123 bytes. */
  reason?: string
  /** Refuse the upgrade with this HTTP status, 400 to 599. Default 401, unless there is a `code`. */
  status?: number | null
  /** Headers of the response, such as `Retry-After`. Default none. */
  headers?: Record<string, string>
}

/** The limit of what may wait for one client, and what happens when it is reached. */
export interface OutboundConfig {
  /** How many bytes of messages may wait. Default 1 MiB (1048576). */
  maxBytes?: number
  /** What happens when more would wait. Default `close`, but `pause` on a proxy. */
  overflow?: OverflowConfig | null
}

/** What happens to a client that reads too slowly. */
export type OverflowConfig = 'close' | 'drop-oldest' | 'pause'

/** A text with placeholders. */
export type Template = string

/** One fault: when it happens, and what. At least one effect has to be given; several happen together. */
export interface Fault {
  /**
   * What it happens to: `open`, the opening handshake; `send`, what goes to the client; `receive`, what comes from it.
   * Default: the connection, for `close`, `terminate` and `halfOpen`; the other effects need one.
   */
  on?: FaultStage | null
  /** How likely it happens each time it could, from 0 to 1; for the end of a connection, once a connection. Default 1. */
  probability?: number | null
  /** How often it happens at most, over all connections. Default without limit. */
  times?: number | null
  /**
   * What its chances are drawn from. With the same seed, the first connection that meets it has the same luck each time,
   * and so has the second. Default: drawn by the server when it starts.
   */
  seed?: number | null
  /** It begins, or for the end of a connection happens, when one of these is reached. Default at once. */
  after?: FaultTrigger | null
  /** It is only for connections that are in this room. Default all. */
  room?: string | null
  /** `open`: answer with this HTTP status, 400 to 599, instead of 101. */
  refuse?: number | null
  /** `open`: never answer. */
  hang?: boolean
  /** `open`: accept, and from then on send nothing and hear nothing. The client is not told. */
  silent?: boolean
  /** Wait so many ms, or from `min` to `max` of them. Frames keep their order. At most 600000. */
  latency?: Delay | null
  /** How likely a message is lost, from 0 to 1. */
  loss?: number | null
  /** How likely a message comes twice, from 0 to 1. */
  duplicate?: number | null
  /** How likely a message is overtaken by the next one, from 0 to 1. If none comes within a second, it goes by itself. */
  reorder?: number | null
  /** So many bytes a second pass: frames with their headers, before compression. */
  throttle?: number | null
  /** Only so many bytes of a message are left. Text is cut before a character that does not fit. */
  truncate?: number | null
  /** `send`: the message's frame is broken in this way. */
  damage?: Damage | null
  /** Start the closing handshake with this code. */
  close?: number | null
  /** The reason for `close`. Default none. */
  reason?: string | null
  /** End the connection without a close frame; with `open`, without an answer. */
  terminate?: boolean
  /** From then on send nothing and hear nothing; the connection itself stays. */
  halfOpen?: boolean
}

/** What a fault happens to. */
export type FaultStage = 'open' | 'send' | 'receive'

/** When a fault begins on a connection; what is reached first counts. */
export interface FaultTrigger {
  /** So many messages have passed, in the fault's direction or without one in both. */
  messages?: number | null
  /** Messages of so many bytes have passed, counted as `throttle` does. */
  bytes?: number | null
  /** So many ms have passed since the connection opened, or since the fault was added to it. */
  ms?: number | null
}

/** A time in ms, or any between two. */
export type Delay =
  | number
  | {
    /** At least so many ms. Default 0. */
    min?: number
    /** At most so many ms. */
    max: number
  }

/** How the frame of a message is broken. */
export type Damage = 'length' | 'mask' | 'utf8' | 'opcode' | 'deflate' | 'oversized'

/** A state of the network or the server, as a list of faults. */
export type Condition = 'offline' | 'flaky' | 'slow-3g' | 'high-latency' | 'half-open' | 'restarting'

/** The conditions that a client may choose for its own connection: true for all, or a list. */
export type ClientConditions = boolean | Condition[]

/** What the messages of a route have to be: schemas for both directions, or with an AsyncAPI document that describes the route just what becomes of messages that break it. */
export type Contract = ContractMode | ContractOptions

/** What becomes of messages that break a contract. Either way a live event tells of them, and they are counted. */
export type ContractMode = 'warn' | 'refuse'

/** The same with all keys. */
export interface ContractOptions {
  /**
   * What becomes of messages that break it. Default: the mode of the AsyncAPI document that the route is described in, or
   * `warn`.
   */
  mode?: ContractMode | null
  /** What messages from clients have to be. Default: anything. */
  receives?: SchemaSource | null
  /** What messages to clients have to be. Default: anything. */
  sends?: SchemaSource | null
  /** Whether binary messages pass in a direction that has a schema. Default false: they break it. */
  binary?: boolean
}

/** A JSON Schema (2020-12), or the path of a JSON or YAML file that holds one. Relative paths begin in the folder of the configuration file; those of options in JavaScript at Vite's root, or in the working directory. */
export type SchemaSource = string | boolean | Record<string, unknown>

/** The file that a route is recorded in, or an object with more. */
export type RecordConfig = string | RecordTable

/** The long form. */
export interface RecordTable {
  /**
   * The file, which is appended to as things happen: `session.jsonl`. Folders are made. A relative path begins in the
   * folder of the configuration. Several routes may name the same file.
   */
  file: string
  /**
   * Regular expressions for secrets in messages, URLs and reasons, besides the usual ones: what they match is written as
   * `***`. They are those of Rust's crate `regex`, without look-around. Default none.
   */
  mask?: string[]
}

/** What is kept of each room. */
export interface HistoryConfig {
  /** The most messages of a room, 1 to 10000. Default 100. */
  size?: number
  /** How long in ms a message is kept. Default 5 minutes (300000). */
  ttl?: number
  /** The most bytes of a room's messages. Default 512 KiB (524288). */
  maxBytes?: number
}

/** The dialect's settings. */
export interface ActionsOptions {
  /**
   * The feeds and their channels. Default: the feed `killmails` to the channel `kills`, as
   * `{"action":"kill","data":…}`.
   */
  channels?: ActionsChannel[]
  /** Channels that one connection can be subscribed to; the next `sub` does nothing. Default 100. */
  maxChannels?: number
}

/** A feed whose values go to a channel. */
export interface ActionsChannel {
  /** The name to which clients subscribe. */
  name: string
  /** The feed whose values it carries. */
  feed: string
  /** The `action` of the object around each value; without it the value is sent alone. */
  action?: string | null
}

/**
 * The dialect's settings. By default it behaves as Rakit documents, but for the command `disconnect`, which in Rakit is
 * everyone's.
 */
export interface CommandsOptions {
  /**
   * `seed`: everything sent is JSON, as documented. `compat`: byte for byte what Rakit's server sends.
   * Default `seed`.
   */
  profile?: Profile
  /** How presence lists the users: `array` or `map`. Default: as the profile has it. */
  presence?: PresenceFormat | null
  /**
   * Who may use commands: `everyone`, `nobody`, or the `authenticated`, which are clients with
   * data from authentication or the session. Commands of others are ignored. Default `everyone`.
   */
  commands?: WhoMayCommand
  /**
   * Who of these may close the connections of others with the command `disconnect`; their own may all. Default
   * `authenticated`; in Rakit everyone may.
   */
  disconnect?: WhoMayCommand
  /** Seconds without any frame of a client after which it is closed with 1000. Default 0: never. */
  pingTimeout?: number
  /** Refuse clients that send no `Origin` with 403. The route's `origins` decides which origins may connect. Default false. */
  originRequired?: boolean
  /** Refuse clients that offer none of the route's `subprotocols` with 400. Default false. */
  protocolRequired?: boolean
  /** Refuse clients that offer no extension with 400. Default false. */
  extensionsRequired?: boolean
  /**
   * The values of `Host` that are served, with the port if there is one; others are refused with 400. Default:
   * all.
   */
  allowedHosts?: string[]
  /** The server events for which the host has callbacks: hosts fill this in themselves. Default none. */
  events?: ServerEventKind[]
  /** Users by their session cookie. Default none. */
  session?: SessionOptions | null
}

/** Which behaviour is used where Rakit's documentation and its server differ. */
export type Profile = 'seed' | 'compat'

/** The shape of `users` in presence. */
export type PresenceFormat = 'array' | 'map'

/** Who may use commands. */
export type WhoMayCommand = 'everyone' | 'nobody' | 'authenticated'

/** The server events by kind. */
export type ServerEventKind = 'connect' | 'disconnect' | 'receive' | 'send' | 'crash'

/** Identifies clients by a cookie. Clients without one may connect as well, as guests. */
export interface SessionOptions {
  /** The cookie's name. */
  cookie: string
  /** The users by the cookie's value, each with `name` and `email`. */
  users: Record<string, unknown>
}

export type EventsOptions = MockEvent[] | EventsTable

/** The long form. */
export interface EventsTable {
  /** The events. Default none. */
  mock?: MockEvent[]
  /** Whether events with an interval are sent without a subscription. Default true. */
  autoStart?: boolean
  /** The `message` of the first frame. Default `Connected to Mock API WebSocket server`. */
  greeting?: string
  /** Makes the random parts of event data the same for every client and on every start. Default: random. */
  seed?: number | null
  /** The path that answers `GET` with statistics. Default none. */
  stats?: string | null
  /**
   * The token that requests for statistics have to send, as `Authorization: Bearer`. Default: none; then they have to
   * pass the route's own `origins` and `authenticate`, as its WebSockets do.
   */
  adminToken?: string | null
  /** The path that answers `GET` with `{"status":"ok",…}`. Default none. */
  health?: string | null
}

/** One event. */
export interface MockEvent {
  /** The name to which clients subscribe. */
  name: string
  /** Ms between two of them; 0 or left out: on demand only. */
  interval?: Interval
  /** Its data; texts may have placeholders. */
  data: ValueTemplate
  /** Has no effect; accepted for configurations of the Mock API Server. */
  condition?: string | null
}

/** Any JSON value; texts may have placeholders such as {message.text} or {connection.id}. */
export type ValueTemplate = unknown

/** The dialect's settings. Times are in ms. */
export interface TopicsOptions {
  /** The version of EVE-KILL's protocol: `g3`, the current one, or `g1`, the first. Default `g3`. */
  generation?: Generation
  /** The content of the stream: `killmails`, `comments` or `site`. Default `killmails`. */
  stream?: Stream
  /** The feed whose values it carries. Default: the one with the stream's name. */
  feed?: string | null
  /** Time between the server's `{"type":"ping"}`; false: none. Only in `g3`. Default 30000. */
  pingInterval?: Interval
  /** How long a `{"type":"pong"}` may take before the connection is closed. Default 10000. */
  pingTimeout?: number
  /** Topics that one connection can have; one more is an error. Default 128. */
  maxTopics?: number
  /** The path that answers GET with the server's health, as `/health`. Default none. */
  healthPath?: string | null
  /** The path that answers GET with connections and topics, as `/stats`. Default none. */
  statsPath?: string | null
}

/** A version of EVE-KILL's protocol. */
export type Generation = 'g1' | 'g3'

/** The content of a stream. */
export type Stream = 'killmails' | 'comments' | 'site'

/**
 * A Phoenix socket and its channels. Topics are looked for in `killmails`, `realtime` and `channels`, in this
 * order.
 */
export interface PhoenixOptions {
  /** Ms without any frame of the client after which it is closed with 1000. Default 45000. */
  timeout?: Interval
  /** The killmail channel: `true`, or its options. Default off. */
  killmails?: ToggleKillmailsOptions | null
  /** The channel for clients of Supabase Realtime: `true`, or its options. Default off. */
  realtime?: ToggleRealtimeOptions | null
  /** Any other channels. The first one whose topic matches counts. */
  channels?: ChannelOptions[]
}

export type ToggleKillmailsOptions = boolean | KillmailsOptions

/** The killmail channel. Its feed should be keyed by `system_id` and `solar_system_id`. */
export interface KillmailsOptions {
  /** The topic. Default `killmails:lobby`. */
  topic?: string
  /** The feed that the kills come from. Default `killmails`. */
  feed?: string
  /** Systems per request at most. Default 50. */
  maxSubscribedSystems?: number
  /** The largest id of a system. Default 32000000. */
  maxSystemId?: number
  /** Characters per request at most. Default 1000. */
  maxSubscribedCharacters?: number
  /** The largest id of a character. Default none. */
  maxCharacterId?: number | null
  /** Whether wrong requests crash the channel (`phx_error`) instead of being refused. Default false. */
  strict?: boolean
  /** Whether `kill_count_update` follows each kill. Default true. */
  killCounts?: boolean
  /** How many subscription updates a connection may ask for; more get an error reply. Default any number. */
  rateLimit?: RateLimitOptions | null
  /** Whether `GET /websocket` and `/websocket/status` are answered. Default true. */
  pages?: boolean
  /**
   * Whether `GET /health`, `/status` and `/ping` are answered too, as the original does. Default false: an
   * application may have its own.
   */
  health?: boolean
}

/** A token bucket. */
export interface RateLimitOptions {
  /** So many updates at once, and so many in each `per`. */
  updates: number
  /** The time in ms in which an empty bucket fills up. Default 60000. */
  per?: number
}

export type ToggleRealtimeOptions = boolean | RealtimeOptions

/** A channel for Supabase Realtime's clients. */
export interface RealtimeOptions {
  /** Its topics. Default `realtime:*`. */
  topic?: TopicPattern
  /**
   * Whether broadcasts also come by `POST`: to `/realtime/v1/api/broadcast` for a socket at
   * `/realtime/v1/websocket`, to `/api/broadcast` for one at `/socket/websocket`, which Supabase's clients use before they
   * have joined. Clients that may open the socket may post; with an `authenticate` function nobody may. Default true.
   */
  http?: boolean
}

export type TopicPattern = string

/** A channel that needs no code: it passes what a client sends to the others, with an `ok` to the sender. */
export interface ChannelOptions {
  /** Its topics: one, or `room:*` for all that begin so. */
  topic: TopicPattern
  /** Whether the channel's behaviour is the host's callbacks, instead of the keys below. Default false. */
  callbacks?: boolean
  /** The response to a join. Default `{}`. */
  join?: unknown
  /** The messages that are pushed to a client after it has joined. Default none. */
  pushes?: PushOptions[]
  /** Responses by event: such an event is answered with the response, and not passed on. Default none. */
  replies?: Record<string, unknown>
  /** Whether the sender receives its own events too. Default false. */
  echo?: boolean
  /** Whether presence is tracked, with `presence_state` and `presence_diff`: `true`, or the key by which. Default false. */
  presence?: TogglePresenceOptions | null
  /** The feed whose values go to everyone on the topics. Default none. */
  feed?: string | null
  /** The event that carries them. Default `update`. */
  feedEvent?: string
}

/** One push after a join. */
export interface PushOptions {
  /** The event. */
  event: string
  /** The payload. Default `{}`. */
  payload?: unknown
}

export type TogglePresenceOptions = boolean | PresenceOptions

/** The key under which a client is present. */
export interface PresenceOptions {
  /**
   * The field of the join's payload, or else of the query, that holds it; without one the connection's id
   * does. Default `user_id`.
   */
  key?: string
}

export type Proxy = string | ProxyTable

/** The long form of a proxy. */
export interface ProxyTable {
  /** The one target, `ws://` or `wss://`; `${NAME}` takes a part from the environment. Either this or `targets`. */
  url?: string | null
  /** Headers for the target's opening handshake. */
  headers?: Record<string, Secret>
  /** The credentials that the target demands. */
  auth?: ProxyAuth | null
  /** Targets by the name with which the part of the path that `**` stands for begins. */
  targets?: Record<string, ProxyTarget>
  /**
   * Whether clients are told about the proxy itself: `proxy_connected` when the target has answered, and why it
   * failed. Default true with `targets`, otherwise false.
   */
  announce?: boolean | null
  /** Headers of the client's opening handshake to pass on, such as `cookie`. Default none. */
  forward?: string[]
  /**
   * Who answers a client's opening handshake. Default: `proxy` where clients are told about it (`announce`),
   * otherwise `target`.
   */
  handshake?: ProxyHandshake | null
  /** Ms that a target may take to answer. Default 10000. */
  timeout?: number
  /**
   * Ms for which a target may take none of the messages that wait for it; then the client is closed with 1011.
   * Default 30000.
   */
  sendTimeout?: number
  /** How many bytes may wait for the target before nothing more is taken from the client. Default 1 MiB. */
  maxWaiting?: number
}

/**
 * Text that no log and no debug output shows, and that is overwritten in memory when it is dropped. Copies that the
 * configuration's parser or the allocator made on the way are not.
 */
export type Secret = string

/** Credentials for a target. */
export type ProxyAuth =
  | {
    type: 'bearer'
    /** The token; `${NAME}` takes it from the environment. */
    token: Secret
  }
  | {
    type: 'basic'
    /** The name, without a colon. */
    username: Secret
    /** The password; `${NAME}` takes it from the environment. */
    password: Secret
  }
  | {
    type: 'apikey'
    /** The header's name. Default `x-api-key`. */
    header?: string
    /** The key; `${NAME}` takes it from the environment. */
    value: Secret
  }

export type ProxyTarget = string | ProxyTargetTable

/** The long form of a target. */
export interface ProxyTargetTable {
  /** `ws://` or `wss://`; `${NAME}` takes a part from the environment. */
  url: string
  /** Headers for the target's opening handshake. */
  headers?: Record<string, Secret>
  /** The credentials that the target demands. */
  auth?: ProxyAuth | null
}

/** Who answers a client's opening handshake. */
export type ProxyHandshake = 'target' | 'proxy'

/** The settings of the dialect `replay`. */
export interface ReplayOptions {
  /** The recording: JSON Lines, as `record` writes them, or a HAR file with its messages in it, whose name ends in `.har`. */
  file: string
  /** How fast: 1 is the pace of the recording, 10 ten times as fast, `instant` without waiting. Default 1. */
  speed?: ReplaySpeed
  /** How alike a client's messages and the recorded ones have to be. Default `shape`. */
  match?: Matching
  /** Whether a recorded conversation begins again at its end, instead of closing. Default false. */
  loop?: boolean
  /** Where each conversation starts: so many ms after it was opened, or `{ event: n }`, its n-th message. Default 0. */
  startAt?: ReplayStart
  /** Which recorded connection a client gets. Default `in-order`. */
  connection?: ReplayConnection
  /**
   * Keys whose values are taken from what this client sends, besides `id`, `ref`, `seq`, `timestamp` and the like. Default
   * none.
   */
  capture?: string[]
  /** What happens when a client sends what was not recorded. Default `wait`. */
  mismatch?: MismatchOption
}

/** So many times as fast as it was recorded, or `instant`. */
export type ReplaySpeed = number | 'instant'

/**
 * How alike a client's message and the recorded one have to be.
 *
 * | | `exact` | `shape` |
 * |---|---|---|
 * | JSON | equal as values, whatever the order of keys; 1 and 1.0 are equal | the same kinds of values and the same keys, also within; at keys that say what a message is, such as `type` and `event`, the same values |
 * | a list within JSON | equal | the elements that both have are of the same shape; one is empty only if the other is |
 * | JSON that is a list | equal | of the same length; a number or text in the first place is equal, as it says what the message is |
 * | other text | equal | equal but for digits, UUIDs and timestamps |
 * | binary | equal | both have bytes, or both are empty |
 *
 * Whatever was recorded as `***`, the mask of recordings, matches anything in its place. The references of Phoenix frames
 * (`ref`, `join_ref`) are never compared.
 */
export type Matching = 'exact' | 'shape' | 'any'

/** So many ms after the opening, or the n-th message. */
export type ReplayStart =
  | number
  | {
    event: number
  }

/** `in-order`: the n-th client of a path gets the n-th recorded connection of it; or always the n-th of the file. */
export type ReplayConnection = 'in-order' | number

/** What happens when a message comes that is not expected. It is always logged, counted, and told as a live event. */
export type MismatchOption = 'wait' | 'close'

/** What the server does in each conversation: steps, an object with more, or the file of one, .toml or .json. */
export type Scenario = ScenarioStep[] | ScenarioScript | string

/** A scenario: what the server does in each conversation. */
export interface ScenarioScript {
  /** The steps, in order. A conversation whose steps are over stays open and sends nothing more. */
  steps: ScenarioStep[]
  /** Variables with which each conversation starts, as `{let.name}` in its templates. Default none. */
  variables?: Record<string, ValueTemplate>
  /** What happens when a message comes that no step expects. Default `wait`. */
  mismatch?: MismatchOption
}

/** One step of a scenario. */
export interface ScenarioStep {
  /** Wait for a message for which this holds, as in a rule's `match`; with `{}` for any. Others are reported as a mismatch. */
  expect?: Match | null
  /** Wait for a binary message: these bytes in base64, or `true` for any. */
  expectBinary?: ExpectedBytes | null
  /** Wait for a message that is one of these, the first that fits, and take its steps; then go on behind this one. */
  choose?: Choice[] | null
  /** With `expect`, `expectBinary` and `choose`: go to the label `otherwise` after so many ms. Default: wait for ever. */
  within?: number | null
  /** With `within`: the label to go to. */
  otherwise?: string | null
  /**
   * Send this value: text as it is, anything else as JSON. Texts may have placeholders; `{message.…}` is the latest message
   * that was expected, `{let.…}` a variable.
   */
  send?: ValueTemplate | null
  /** Send a binary message, written in base64. */
  sendBinary?: string | null
  /** Wait so many ms, counted from the previous step. */
  wait?: number | null
  /** Set variables, by name. One whose value is a placeholder without a value is removed. */
  set?: Record<string, ValueTemplate> | null
  /** Do what a rule does: `reply`, `broadcast`, `join`, `leave` and so on. */
  do?: ActionTemplate[] | null
  /** Add faults to this connection, until it ends: a fault, a list, or the name of a condition. */
  fault?: FaultList | null
  /** Close the connection. */
  close?: ScenarioClose | null
  /** Drop the connection without a close frame, when what was sent is written: write `true`. */
  terminate?: boolean | null
  /** A name for this place, for `goto` and `otherwise`. */
  label?: string | null
  /** Go on at this label. */
  goto?: string | null
  /** Take steps again and again. */
  loop?: ScenarioLoop | null
}

/** What must hold: fields of the message by dotted path (or connection.…, close.…). Anything but an object asks that the whole message be equal to it. */
export type Match =
  | Record<string,
    | string | number | boolean | unknown[] | null
    | {
      exists?: boolean
      oneOf?: unknown[]
      regex?: string
    }>
  | string | number | boolean | unknown[] | null

/** Bytes in base64, or true for any. */
export type ExpectedBytes = string | true

/** One of the messages that a step `choose` waits for, and what to do then. */
export interface Choice {
  /** The message, as in a rule's `match`; `{}` for any. */
  expect?: Match | null
  /** Or a binary message: these bytes in base64, or `true` for any. */
  expectBinary?: ExpectedBytes | null
  /** What to do when it came. Default nothing. */
  steps?: ScenarioStep[]
}

/** A [`Command`] with placeholders. */
export interface ActionTemplate {
  /** Send this value to the connection: text as it is, anything else as JSON. */
  reply?: ValueTemplate | null
  /** Send this value to everyone else on the route, or to the members of `rooms`. */
  broadcast?: ValueTemplate | null
  /** Send this value to the members of all rooms that the connection is in; without rooms, to the whole route. */
  broadcastAllRooms?: ValueTemplate | null
  /** Join this room, or each of these. */
  join?: RoomTemplates | null
  /** Leave this room, or each of these. */
  leave?: RoomTemplates | null
  /** Close the connection. */
  close?: Close | null
  /** With `broadcast`: the rooms whose members receive it, each once. With an empty list nobody does. */
  rooms?: RoomTemplates | null
  /** With `broadcast`: the same for one room. */
  room?: RoomTemplates | null
  /** With `broadcast` and `broadcastAllRooms`: also to the connection itself. Default false. */
  includeSelf?: boolean | null
}

/** Room names: one or a list, with placeholders. */
export type RoomTemplates = string | number | (string | number)[]

/** How a rule closes a connection. */
export interface Close {
  /** 1000–1003, 1007–1014 or 3000–4999. Default 1000. */
  code?: number | null
  /** Cut at 123 bytes. Default empty. */
  reason?: string | null
}

/** Faults: an object, a list of them, or the name of a condition. */
export type FaultList = Fault | Fault[] | Condition

/** How a scenario closes the connection. */
export interface ScenarioClose {
  /** 1000–1003, 1007–1014 or 3000–4999; 1005 closes without a code. Default 1000. */
  code?: number | null
  /** Cut at 123 bytes. May have placeholders. Default empty. */
  reason?: Template | null
}

/** Steps that are taken again and again. */
export interface ScenarioLoop {
  /** How often, at least once. Default: without end. */
  times?: number | null
  /** The steps. */
  steps: ScenarioStep[]
}

/** An answer to messages of one kind. Only the first one that matches is used. */
export interface ResponseConfig {
  /** The messages to answer. Default: all. */
  match?: Match
  /** The answer: text is sent as it is, anything else as JSON. */
  response: ValueTemplate
  /**
   * Who receives it. Default and false: the sender. True: everyone else in the sender's rooms. An object: everyone on
   * the route, or in one of its rooms.
   */
  broadcast?: ToggleResponseBroadcast | null
}

export type ToggleResponseBroadcast = boolean | ResponseBroadcast

/** Who receives a response. */
export interface ResponseBroadcast {
  /** The room whose members receive it. Default: everyone on the route. */
  room?: RoomTemplates | null
  /** Also the sender. Default false. */
  includeSelf?: boolean
}

/** One rule. */
export interface Rule {
  /** The event that the rule is for: `connect`, `message` (the default) or `close`. */
  on?: On
  /** The condition for the rule to run. Default: none. */
  match?: Match
  /** Values that are computed before the actions and used as `{let.name}`, such as the same random id in two places. */
  let?: Record<string, ValueTemplate>
  /** What to do, in order. */
  do: ActionTemplate[]
  /** Whether the rules after this one may run as well. Default false. */
  continue?: boolean
}

/** The event that a rule is for. */
export type On = 'connect' | 'message' | 'close'

/** An AsyncAPI document: its file, or an object with more. */
export type AsyncApi = string | AsyncApiOptions

/** The same with all keys. */
export interface AsyncApiOptions {
  /**
   * A JSON or YAML file. Relative paths begin in the folder of the configuration file; those of options in JavaScript at
   * Vite's root, or in the working directory.
   */
  file: string
  /** What becomes of messages that the document does not allow, on routes whose `contract` does not say it. Default `warn`. */
  mode?: ContractMode
  /** Whose operations the document describes. Default `server`. */
  perspective?: Perspective
  /**
   * Whether routes that are made of channels send each client, when it connects, the example messages of operations that
   * send without being asked. Default false.
   */
  greet?: boolean
}

/** Whose operations an AsyncAPI document describes. */
export type Perspective = 'server' | 'client'

/** A stream of JSON values, and how many of them are kept. */
export interface FeedConfig {
  /** The name by which routes and publishers refer to it. */
  name: string
  /**
   * The fields that may hold a value's key, such as `["solar_system_id", "system.id"]`, where a dot goes into an
   * object; the first one that a value has counts. Values without a key are kept together. Default none.
   */
  key?: string[]
  /** How many values are kept for each key; the oldest are dropped first. Default 100. */
  history?: number
  /** How many keys are kept; the one that has had no value for longest is dropped first. Default 10000. */
  keys?: number
  /**
   * How much all kept values and their keys may hold together, in bytes of memory, about; those of the key that has had
   * no value for longest are dropped first. Default 16 MiB (16777216).
   */
  maxBytes?: number
  /** Takes values by HTTP `POST`: one, an array of them, or one per line. True: at `/feeds/<name>`. Default false. */
  post?: TogglePostSettings | null
  /** Publishes values at an interval, in turn. Default none. */
  interval?: IntervalSettings | null
  /** Replays a recording. Default none. */
  replay?: ReplaySettings | null
  /** Publishes the messages of another WebSocket server. Default none. */
  upstream?: UpstreamSettings | null
}

export type TogglePostSettings = boolean | PostSettings

/** Which requests fill a feed. */
export interface PostSettings {
  /** The whole path. Default: `/feeds/` and the feed's name. */
  path?: string | null
  /** The token that has to follow `Authorization: Bearer`. Default: none is required. */
  token?: string | null
  /** The largest body in bytes. Default 1 MiB (1048576). */
  maxBody?: number
  /** How many values one request may publish; more are answered 413. Default 10000. */
  maxValues?: number
}

/** Values that are published in turn, again and again. */
export interface IntervalSettings {
  /** Ms between two values, and before the first one. */
  every: number
  /**
   * The values. Texts may have placeholders that need no connection: `{now}`, `{random.int 1 6}`, `{counter.n}`,
   * `{walk.price 100 2}`, `{fake.name}`.
   */
  values: ValueTemplate[]
}

/** A recording and its pace. */
export interface ReplaySettings {
  /**
   * The file, one JSON value per line. The host reads it at the start. Relative paths begin in the folder of the
   * configuration file; those of options in JavaScript at Vite's root, or in the working directory.
   */
  file: string
  /** Ms between two values. Default 1000, unless there is a `timestamp`. */
  every?: number | null
  /** Values that come at once with `every`. Default 1. */
  batch?: number
  /**
   * The field with the time of a value, as ISO 8601 text or in s or ms since 1970; a dot goes into an object. With it
   * the values keep the intervals at which they were recorded.
   */
  timestamp?: string | null
  /** How much faster than it was recorded, such as 60 for a minute in a second. Default 1. */
  speed?: number
  /** The longest interval in ms between two values with `timestamp`. Default: no limit. */
  maxPause?: number | null
  /** Ms before the first value. Default 0. */
  delay?: number
  /** Whether to start again after the last value. Default false. */
  loop?: boolean
}

/** The server, and how its messages become values. Times are in ms. */
export interface UpstreamSettings {
  /** `ws://` or `wss://`. */
  url: string
  /** Headers of the opening handshake, credentials included. Default none. */
  headers?: Record<string, string>
  /** Subprotocols to offer. Default none. */
  subprotocols?: string[]
  /**
   * The messages to send whenever it has opened, such as `[{ action = "sub", channel = "killstream" }]`: text is sent
   * as it is, everything else as JSON. Default none.
   */
  send?: unknown[]
  /**
   * The field of each message that is the value; a dot goes into an object. Messages without it are ignored. Default:
   * the whole message.
   */
  field?: string | null
  /** How long the opening handshake may take. Default 10000. */
  timeout?: number
  /** The pause before the first attempt to reconnect; it doubles with each attempt that fails. Default 1000. */
  retry?: number
  /** The longest pause. Default 60000. */
  maxRetry?: number
  /** The largest message in bytes. Default 16 MiB (16777216). */
  maxMessage?: number
}

/** The limits of one server. */
export interface LimitsConfig {
  /** How many connections there may be at once. Further ones are answered with HTTP 503. Default 10000. */
  maxConnections?: number
  /**
   * How many connections one address may have at once. Further ones are answered with HTTP 429. The native server counts
   * all its TCP connections, in Vite the WebSockets count. Default: no limit.
   */
  maxConnectionsPerAddress?: number | null
  /** How many messages a client may send. With more, its connection is closed with 1008. Default: no limit. */
  messageRate?: MessageRateConfig | null
  /** Rooms that one connection can be in. Joining one more is an error of the handler. Default 1000. */
  roomsPerConnection?: number
  /** Length of a room's name in bytes. Joining a longer one is an error of the handler. Default 256. */
  roomNameBytes?: number
  /** Messages of one connection that wait for its handler. With more, nothing is read from it. Default 256. */
  pendingMessages?: number
  /**
   * Bytes of incomplete messages that all connections may hold together. With more, the connection that holds the most is
   * closed with 1013, or with 1009 if one message alone has more. Default 268435456; at least 65536.
   */
  inboundBytes?: number
  /**
   * Length of the opening handshake's request in bytes. A longer one is answered with HTTP 431. Default 16384, which
   * is Node's own limit too; at least 8192.
   */
  handshakeBytes?: number
  /**
   * Ms that the opening handshake may take. Then the socket is dropped. Default 10000. In Vite, Node's
   * `headersTimeout` applies until the request is complete.
   */
  handshakeTimeout?: number
  /** Ms that an `authenticate` callback may take. Then the client is answered HTTP 503. Default 10000. */
  authenticateTimeout?: number
  /** Ms that any other callback may take. Then it counts as failed. Default 30000; false: no limit. */
  handlerTimeout?: Interval
  /**
   * Ms that the client may take to answer a close frame. Then the socket is dropped. They count from when the client last
   * took some of what was sent before; whether it did is looked at four times within them. After six times as long the
   * socket is dropped in any case. Default 10000.
   */
  closeTimeout?: number
  /** How much may wait for a client that reads too slowly. A route can have its own. */
  outbound?: OutboundConfig
  /** How deeply the JSON of a message may nest. Deeper JSON is handled as text. Default and maximum: 128. */
  jsonDepth?: number
}

/** How many messages a client may send. */
export interface MessageRateConfig {
  /** Messages per second in the long run. */
  perSecond: number
  /** Messages at once. Default: as many as per second. */
  burst?: number | null
}

/** One node of a cluster. */
export interface ClusterConfig {
  /**
   * The broker through which the nodes reach each other: `redis://` or, with TLS, `rediss://` (Redis 6 or newer, Valkey),
   * `nats://` or, with TLS, `tls://` (NATS). User, password and, for Redis, the number of a database stand in it as usual:
   * `redis://user:password@127.0.0.1:6379/0`. `${NAME}` takes a part of it from the environment.
   */
  url: Secret
  /**
   * The path of a file with the certificates (PEM) of the authorities that are trusted to vouch for the broker, in place of
   * the system's. For `rediss://`, `tls://`, and `nats://` where the server wants TLS. Relative paths start at the
   * configuration file. Default: the system's, or those of the file in the environment's `SSL_CERT_FILE`.
   */
  ca?: string | null
  /**
   * The path of a file of credentials for NATS (`.creds`, as `nsc generate creds` writes it), in place of user and password
   * in the URL. It is read again for each connection. Relative paths start at the configuration file. Default: none.
   */
  credentials?: string | null
  /**
   * The node's name, which no other node has; at most 255 bytes. `${NAME}` takes a part of it from the environment. Default:
   * made of the host's name and the process's id.
   */
  name?: string | null
  /**
   * With what the names of its channels and keys at the broker begin: clusters that share a broker need different ones. All
   * nodes need the same. Default `switchboard`.
   */
  prefix?: string
  /**
   * How long in ms the others keep what they know of a node that gives no sign of life, and how long it takes until another
   * node does what only one does. At least 300; all nodes need the same. Default 6000.
   */
  lease?: number
  /**
   * Whether a server whose broker cannot be reached stops at the start. False: it serves its own clients, says so in
   * the log and in `/health`, and goes on trying. Default false.
   */
  required?: boolean
}
