/** What the control API takes and gives. Written by `cargo xtask schema` from the Rust types, as `openapi.json` is. */

import type { ContractMode, FaultList } from './configuration.js'

export type { ContractMode, FaultList, Fault, FaultStage, FaultTrigger, Delay, Damage, Condition } from './configuration.js'

/** What serves, and what it can be asked. */
export type ControlServer = {
  /** The version of the server. */
  version: string
  /** The version of the API, as in its path. */
  api: number
  /** The time of the server, in ms since 1970. */
  now: number
  /** Whether `authData` and query strings are shown. */
  reveal: boolean
  /** Whether the server takes new connections; it does not while it stops. */
  isServing: boolean
}

/** The routes. */
export type ControlRoutes = {
  /** In the order in which they are tried. */
  routes: ControlRoute[]
}

/** One route with the options in force. */
export type ControlRoute = {
  /** The pattern with its first prefix, which names the route elsewhere. */
  route: string
  /** The pattern with each of its prefixes; none while it is disabled. */
  patterns: string[]
  /** A path that the route serves, and messages that it understands; `null`: none was found. */
  example: ControlExample | null
  /** What speaks there: `handlers`, `relay`, `phoenix`, … */
  dialect: string
  /** How many connections are open on it. */
  connections: number
  /** How many of its rooms have members. */
  rooms: number
  /** Who may connect: `everyone`, `header`, `token`, `function` or `dialect`. */
  authentication: string
  /** The subprotocols that it speaks; `*` is any. */
  subprotocols: string[]
  /** Whether permessage-deflate is agreed to. */
  compression: boolean
  /** The room that every connection joins first. */
  defaultRoom: string | null
  /** How long each message waits before it is handled, in ms. */
  delay: number
  /** Time between pings in ms; `null`: none are sent. */
  heartbeat: number | null
  /** The longest silence in ms; `null`: there is no limit. */
  inactivityTimeout: number | null
  /** The largest message taken, in bytes. */
  maxPayload: number
  /** How much may wait for a client that does not read, in bytes. */
  maxOutbound: number
  /** What happens when more waits: `close`, `dropOldest` or `pause`. */
  overflow: string
  /** The feeds whose values it serves. */
  feeds: string[]
  /** How many messages for clients that read too slowly were dropped since the start. */
  droppedMessages: number
  /** What becomes of messages that break the route's contract; `null`: it has none. */
  contract: ContractMode | null
  /** How many messages broke the contract since the start. */
  contractViolations: number
  /** How many messages of clients were not what its recording or scenario expects, since the start. */
  mismatches: number
}

/** How to try a route. */
export type ControlExample = {
  /** A path to connect to, with the query that the dialect wants. A token is not in it. */
  path: string
  /** Text messages to send. */
  messages: string[]
}

/** A page of connections. */
export type ControlConnections = {
  /** The connections. */
  connections: ControlConnection[]
  /** How many there are on all pages. */
  total: number
  /** For `after`, to get the next page; `null`: this is the last one. */
  next: string | null
}

/** One connection, from its opening handshake to its last callback, and for a while afterwards. */
export type ControlConnection = {
  /** Its id, as handlers see it: a UUID. */
  id: string
  /** Its route: the pattern with its first prefix. */
  route: string
  /** The path of its opening handshake, without the query. */
  path: string
  /** What the pattern's `{name}` parts stand for. */
  params: Record<string, string>
  /** The client's address, if the host knows it. */
  address: string | null
  /** The subprotocol both sides agreed on. */
  subprotocol: string | null
  /** Where it stands: `opening`, `open`, `closing` or `closed`. */
  state: string
  /** When it opened, in ms since 1970; `null` before, and for one that was open when the API was switched on. */
  openedAt: number | null
  /** Whether permessage-deflate was agreed on. */
  compression: boolean
  /** How many messages came. */
  messagesIn: number
  /** How many messages were sent, those that were dropped later included. */
  messagesOut: number
  /** The payloads of the messages that came, in bytes, as they are without compression. */
  bytesIn: number
  /** The payloads of the messages that were sent, in bytes, as they are without compression. */
  bytesOut: number
  /** What came on the wire, in bytes: frames with their headers, compressed, and with control frames. */
  wireBytesIn: number
  /** What was written to the wire, in bytes: frames with their headers, compressed, and with control frames. */
  wireBytesOut: number
  /** How many messages were dropped, as the client reads too slowly. */
  droppedMessages: number
  /** The rooms that it is in, in the order in which it joined them; at most 100. */
  rooms: string[]
  /** In how many rooms it is. */
  roomCount: number
  /** Whether authentication gave data about the client. */
  hasAuthData: boolean
  /** That data. Only with `reveal`. */
  authData?: unknown
  /** The query string of its opening handshake. Only with `reveal`. */
  query?: string | null
  /** Bytes of messages that came and wait for their handler. */
  waitingBytes: number
  /** Bytes that came and are not decoded yet. */
  undecodedBytes: number
  /** Bytes of frames that wait to be taken by the client. */
  queuedBytes: number
  /** Calls of user code for it that are running. */
  calls: number
  /** When it ended, in ms since 1970; left out before. */
  closedAt?: number | null
  /** The close code; 1005: none was sent, 1006: there was no close frame. Left out while it is open. */
  closeCode?: number | null
  /** The close reason; left out while it is open. */
  closeReason?: string | null
  /** Who ended it; left out while it is open. */
  closeCause?: ControlCloseCause | null
  /** Whether it is not read: its handler is far behind, it reads too slowly itself, or this API has paused it. */
  isReadingPaused: boolean
  /** How many of its messages breakpoints hold, in both directions. */
  heldMessages: number
}

/** Who ended a connection. */
export type ControlCloseCause = 'client' | 'server' | 'lost'

/** What passed on a connection lately. */
export type ControlMessages = {
  /** As live events tell it, with at most 4096 bytes of each payload, the oldest first. What is no longer kept is left out. */
  messages: ControlEvent[]
}

/**
 * One message of the WebSocket of live events. `at` is in ms since 1970; `sequence` counts events, so that those that were kept
 * and those that are told live can be put together; `route` is the pattern with its first prefix.
 */
export type ControlEvent =
  | {
    type: 'subscribed'
    /** The kinds of events. */
    kinds: ControlEventKind[]
    /** The route, if events of one route alone are told. */
    route?: string | null
    /** The connection, if events of one connection alone are told. */
    connection?: string | null
    /** How much of a message is shown, in bytes. */
    payloadBytes: number
    /** How many events follow that happened before; left out where there are none. */
    recent?: number
  }
  | {
    type: 'missed'
    /** How many. */
    count: number
  }
  | {
    type: 'rejected'
    /** What is wrong with it, and what to write. */
    error: string
  }
  | {
    type: 'opened'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** Its id. */
    connection: string
    /** Its route. */
    route: string
    /** The path of its opening handshake, without the query. */
    path: string
    /** The client's address, if the host knows it. */
    address?: string | null
    /** The subprotocol both sides agreed on. */
    subprotocol?: string | null
  }
  | {
    type: 'refused'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** The path that it asked for, without the query. */
    path: string
    /** The route that it would have been on, if there is one. */
    route?: string | null
    /** The HTTP status that it was answered. */
    status?: number | null
    /** Or the close code that followed the 101 at once. */
    code?: number | null
    /** Why, and what to change. */
    reason: string
  }
  | {
    type: 'unclaimed'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** The path that was asked for, without the query. */
    path: string
    /** The HTTP status that it was answered; left out where nobody has answered. */
    status?: number | null
    /** The path or pattern that is served and nearest to it, if one is near enough to be meant. */
    nearest?: string | null
    /** What differs, and what to write. */
    reason: string
  }
  | {
    type: 'control'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** Which way. */
    direction: ControlMessageDirection
    /** The connection. */
    connection: string
    /** Its route. */
    route: string
    /** The path of its opening handshake, without the query. */
    path: string
    /** What frame it is. */
    opcode: ControlOpcode
    /** The payload of a ping or a pong, if it is text. */
    text?: string | null
    /** That payload in base64, if it is not. */
    binary?: string | null
    /** The code of a close frame that has one. */
    code?: number | null
    /** The reason of a close frame that has a code. */
    reason?: string | null
  }
  | {
    type: 'closed'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** Its id. */
    connection: string
    /** Its route. */
    route: string
    /** The path of its opening handshake, without the query. */
    path: string
    /** The close code; 1005: none was sent, 1006: there was no close frame. */
    code: number
    /** The close reason. */
    reason: string
    /** Who ended it. */
    cause: ControlCloseCause
  }
  | {
    type: 'message'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** Which way. */
    direction: ControlMessageDirection
    /** The connection, unless the message went to several. */
    connection?: string | null
    /** The route. */
    route: string
    /** The path of the connection, unless the message went to several. */
    path?: string | null
    /** To how many it was sent; 1 for one that came. */
    receivers: number
    /** The room whose members it was sent to, where it was sent to those of one. */
    room?: string | null
    /** The length of the payload in bytes. */
    size: number
    /** The payload of a text message, or the beginning of it. */
    text?: string | null
    /** The payload of a binary message, or the beginning of it, in base64. */
    binary?: string | null
    /** Whether only the beginning is shown. */
    isCut: boolean
  }
  | {
    type: 'joined'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** Its id. */
    connection: string
    /** Its route. */
    route: string
    /** The room. */
    room: string
  }
  | {
    type: 'left'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** Its id. */
    connection: string
    /** Its route. */
    route: string
    /** The room. */
    room: string
  }
  | {
    type: 'error'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** The connection that it was working for. */
    connection: string
    /** Its route. */
    route: string
    /** The path of its opening handshake, without the query. */
    path: string
    /** What failed, such as `onMessage`. */
    step: string
    /** What it said, with the stack where there is one. */
    error: string
  }
  | {
    type: 'violation'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** Which way the message goes. */
    direction: ControlMessageDirection
    /** The connection, unless the message is for several. */
    connection?: string | null
    /** The route. */
    route: string
    /** The path of the connection, unless the message is for several. */
    path?: string | null
    /** For how many connections it is; 1 for one that came. */
    receivers: number
    /** Whether it went no further. Otherwise it was passed on. */
    isRefused: boolean
    /** What is wrong with it, at most 10 entries. */
    violations: ControlViolation[]
  }
  | {
    type: 'log'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** How important it is: `debug`, `info`, `warn` or `error`. */
    level: string
    /** The line. */
    text: string
  }
  | {
    type: 'mismatch'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** The connection. */
    connection: string
    /** Its route. */
    route: string
    /** The path of its opening handshake, without the query. */
    path: string
    /** Where the expected message stands, such as `session.jsonl line 7` or `routes[0].scenario[2]`. */
    place: string
    /** What was expected, in short; left out where nothing more was. */
    expected?: string | null
    /** What came, in short. */
    got: string
    /** What differs. */
    differences: MessageDifference[]
    /** All of it in one line. */
    text: string
  }
  | {
    type: 'held'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** Names the message, to decide about it. */
    id: number
    /** The breakpoint. */
    breakpoint: number
    /** The connection. */
    connection: string
    /** Its route. */
    route: string
    /** The path of its opening handshake, without the query. */
    path: string
    /** Which way the message goes. */
    direction: ControlMessageDirection
    /** When it goes on as it is, in ms since 1970, unless somebody decides before. */
    until: number
    /** The length of the payload in bytes. */
    size: number
    /** The payload of a text message, or the beginning of it. */
    text?: string | null
    /** The payload of a binary message, or the beginning of it, in base64. */
    binary?: string | null
    /** Whether only the beginning is shown. */
    isCut: boolean
  }
  | {
    type: 'released'
    /** When. */
    at: number
    /** Its place among all events of the server. */
    sequence: number
    /** What `held` has named it. */
    id: number
    /** The breakpoint. */
    breakpoint: number
    /** The connection. */
    connection: string
    /** Its route. */
    route: string
    /** The path of its opening handshake, without the query. */
    path: string
    /** Which way the message goes. */
    direction: ControlMessageDirection
    /** What has become of it. */
    how: ControlRelease
    /** The length of the payload that went on in its place, in bytes; only for `edited`, as what follows. */
    size?: number | null
    /** That payload, if it is text, or the beginning of it. */
    text?: string | null
    /** That payload, if it is binary, or the beginning of it, in base64. */
    binary?: string | null
  }

/** The kinds of events that can be asked for. */
export type ControlEventKind =
  | 'opened'
  | 'refused'
  | 'closed'
  | 'message'
  | 'joined'
  | 'left'
  | 'error'
  | 'violation'
  | 'log'
  | 'mismatch'
  | 'held'
  | 'released'
  | 'unclaimed'
  | 'control'

/** Which way a message goes, as the server sees it. */
export type ControlMessageDirection = 'in' | 'out'

/** What frame a control frame is. */
export type ControlOpcode = 'ping' | 'pong' | 'close'

/** One rule of a schema that a message breaks. */
export type ControlViolation = {
  /** Where in the message, such as `bids[0].price`; empty for the whole of it. */
  path: string
  /** The keyword of the schema, such as `required`. */
  keyword: string
  /** Where the keyword stands in the schema, such as `#/properties/bids/items/required`. */
  schema: string
  /** What was expected, and what there is instead. */
  message: string
}

/** One place in which a message differs from the recorded one. */
export type MessageDifference = {
  /** Where, such as `payload.items[2].id`; empty for the message as a whole. */
  path: string
  /** What was recorded there: a value as JSON, or a description such as `a list`. Long ones are cut. */
  recorded: string
  /** What came, in the same form. */
  got: string
}

/** What has become of a message that a breakpoint held. */
export type ControlRelease = 'passed' | 'edited' | 'dropped' | 'timeout' | 'ended' | 'full'

/** A page of rooms. */
export type ControlRooms = {
  /** The rooms. */
  rooms: ControlRoom[]
  /** How many there are on all pages. */
  total: number
  /** For `after`, to get the next page; `null`: this is the last one. */
  next: string | null
}

/** A room with members. */
export type ControlRoom = {
  /** Its route: the pattern with its first prefix. */
  route: string
  /** Its name. */
  room: string
  /** How many connections are in it. */
  members: number
}

/** Who is present. */
export type ControlPresences = {
  /** By route and topic. */
  presences: ControlPresence[]
  /** How many there are, whatever the limit. */
  total: number
}

/** Who is present on one topic. */
export type ControlPresence = {
  /** The route: the pattern with its first prefix. */
  route: string
  /** The topic; empty where the dialect keeps presence for the whole route. */
  topic: string
  /** Who, in the dialect's own form: for `phoenix` the `presence_state`. */
  state: unknown
}

/**
 * What a server holds at one moment. Without connections all of it is 0, apart from timers of routes and feeds and
 * from what is counted since the start.
 */
export type Stats = {
  /** Connections, from their opening handshake to their last hook. */
  connections: number
  /** Rooms that have members, of all routes. */
  rooms: number
  /** Armed deadlines. */
  timers: number
  /** Hooks whose answer is awaited. */
  calls: number
  /** Outgoing connections, such as those of proxies. */
  upstreams: number
  /** What passes between the server and its clients. */
  clientBytes: ByteCounts
  /** What passes between the server and its outgoing connections. */
  upstreamBytes: ByteCounts
  /** Bytes of recordings that wait to be written, now. Beyond 16 MiB of a file events are left out. */
  recordingBytes: number
  /**
   * How many messages for clients that read too slowly were dropped since the start, by the route's pattern with its
   * first prefix. Routes that dropped none are left out.
   */
  droppedMessages: Record<string, number>
  /**
   * How many messages broke the contract of their route since the start, by the route's pattern with its first prefix.
   * Routes where none did are left out.
   */
  contractViolations: Record<string, number>
  /**
   * How many messages of clients were not what a recording or a scenario expects, since the start, by the route's pattern
   * with its first prefix. Routes where none were are left out.
   */
  mismatches: Record<string, number>
  /** The cluster, as this server sees it as one of its nodes. Left out where it is none. */
  cluster?: ClusterView | null
  /** How long calls of user code took that ended in the last minute. Left out while the control API is off. */
  handlerTime?: HandlerTime | null
}

/**
 * Bytes on their way, in the order in which they pass: how many did since the start, and how many wait now. Unless it
 * says otherwise, they are the payloads of messages.
 */
export type ByteCounts = {
  /** In messages that came, since the start. */
  received: number
  /**
   * Read and not decoded yet, now: frames and messages of which not all has come, and what one read brought beyond
   * what is decoded at once. Of clients the host counts them. Of outgoing connections it is 0: what their transport
   * keeps of one unfinished message is bounded by the largest message that is taken.
   */
  undecoded: number
  /** In messages that came and wait for their handler, now. Beyond the `limits` nothing is read. */
  waiting: number
  /**
   * In messages that were sent and that the other side has not taken, now. For clients the host counts them, frame
   * headers included.
   */
  queued: number
  /**
   * In messages that were sent, since the start: to clients when they were queued, on outgoing connections when they
   * were taken.
   */
  sent: number
  /** In messages for outgoing connections that were dropped because twice the bound was reached, since the start. */
  dropped: number
}

/** A cluster, as one of its nodes sees it. What is counted is counted since the start of this server. */
export type ClusterView = {
  /** The name of this node. */
  node: string
  /** The names of the other nodes that are alive, sorted. */
  others: string[]
  /** Of how many of them not all is known: it is on its way, or there is no room for it. */
  incomplete: number
  /** Whether there is a link to the broker. Without one this server serves its own clients alone. */
  isLinked: boolean
  /** To how many channels this node is subscribed. */
  channels: number
  /** Messages that were given to the broker. */
  published: number
  /** Messages that were not, as there was no link, no room, or the broker has refused them. */
  unsent: number
  /** Messages of other nodes that came. */
  received: number
  /** Messages of other nodes that were lost on the way. */
  lost: number
  /** Messages that came once more, or too late, and were left out. */
  repeated: number
  /** Messages of the broker that were not understood. */
  undecodable: number
}

/** How long calls of user code took, from the call to its answer, in ms. */
export type HandlerTime = {
  /** How many calls there were. */
  count: number
  /** Half of them took no longer, within 6 %. */
  median: number
  /** 99 of 100 took no longer, within 6 %. */
  p99: number
  /** The longest. */
  max: number
}

/** The feeds. */
export type ControlFeeds = {
  /** In the order of the configuration. */
  feeds: ControlFeed[]
}

/** One feed. */
export type ControlFeed = {
  /** Its name. */
  name: string
  /** How many values were published on it since the start. */
  published: number
  /** How many values it keeps. */
  kept: number
}

/** One feed with values. */
export type ControlFeedValues = {
  /** Its name. */
  name: string
  /** How many values were published on it since the start. */
  published: number
  /** How many values it keeps. */
  kept: number
  /** The latest of them, the latest first. */
  values: ControlFeedValue[]
}

/** A value that was published. */
export type ControlFeedValue = {
  /** When, in ms since 1970. */
  at: number
  /** The value. */
  value: unknown
}

/** What was done. */
export type ControlDone = {
  /** For how many connections; for a feed, how many routes serve it. */
  count: number
}

/** The faults that this API has added. */
export type ControlFaults = {
  /** Those that were not taken back, in the order in which they were added. Those of a connection stay here when it is gone. */
  faults: ControlFault[]
  /** How many single faults were added to the server, also by its own code, and are still there. */
  added: number
}

/** Faults that were added together. */
export type ControlFault = {
  /** Names them, to take them back. */
  id: number
  /** The connection that they are for, if it is one. */
  connection?: string | null
  /** The route or the pattern of paths, if they are for one. */
  route?: string | null
  /** The room, if they are for one. */
  room?: string | null
  /** The faults, as they were written. */
  faults: unknown
}

/** Breakpoints, and what is held. */
export type ControlBreakpoints = {
  /** The breakpoints, in the order in which they were added. */
  breakpoints: ControlBreakpoint[]
  /** The messages that are held, the oldest first. */
  held: ControlHeld[]
}

/** One breakpoint. */
export type ControlBreakpoint = {
  /** Names it, to take it back. */
  id: number
  /** The connection that it is for, if it is one. */
  connection?: string | null
  /** The route or the pattern of paths, if it is for one. */
  route?: string | null
  /** The room, if it is for one. */
  room?: string | null
  /** Which way the messages go. */
  direction: ControlBreakpointDirection
  /** The kind of messages, if it is one. */
  kind?: ControlMessageKind | null
  /** What their text contains, if that matters. */
  contains?: string | null
  /** What matches their text, if that matters. */
  expression?: string | null
  /** After how many messages it ends, if it does. */
  limit?: number | null
  /** For how long each message is held, in ms. */
  timeout: number
  /** Whether it stays when nobody is told live events. */
  persist: boolean
  /** How many messages it has held. */
  caught: number
  /** How many messages went on as too much was held: at most 1000 messages are, and 16 MiB. */
  missed: number
}

/** Which way a message goes that a breakpoint holds, as the server sees it. */
export type ControlBreakpointDirection = 'in' | 'out' | 'both'

/** The kinds of messages. */
export type ControlMessageKind = 'text' | 'binary'

/** A message that a breakpoint holds. */
export type ControlHeld = {
  /** Names it, to decide about it. */
  id: number
  /** The breakpoint, which may have ended since. */
  breakpoint: number
  /** The connection. */
  connection: string
  /** Its route: the pattern with its first prefix. */
  route: string
  /** The path of its opening handshake, without the query. */
  path: string
  /** Which way the message goes. */
  direction: ControlMessageDirection
  /** Since when it is held, in ms since 1970. */
  at: number
  /** When it goes on as it is, in ms since 1970, unless somebody decides before. */
  until: number
  /** The length of the payload in bytes. */
  size: number
  /** The payload of a text message, in lists its first 4096 bytes. */
  text?: string | null
  /** The payload of a binary message in base64, in lists its first 4096 bytes. */
  binary?: string | null
  /** Whether only the beginning is shown. */
  isCut: boolean
}

/** What is recorded now. */
export type ControlRecordings = {
  /** The files, in the order in which they were begun. */
  recordings: ControlRecording[]
}

/** A file that is being recorded. */
export type ControlRecording = {
  /** The file's name, without its folder. */
  name: string
  /** The routes whose configuration names the file. */
  routes: string[]
  /** Whether it was started while the server runs, so that it can be stopped. */
  isStarted: boolean
  /** How many events were recorded. */
  events: number
  /** How many bytes that made. */
  bytes: number
  /** How many events were left out, as the disk was too slow. */
  missed: number
  /** How many bytes wait to be written. */
  waiting: number
  /** Whether the file could not be written: then nothing more is recorded, and the log says why. */
  hasFailed: boolean
}

/** The time of the server. */
export type ControlClock = {
  /** In ms since 1970. */
  now: number
  /** Ms until the next timer of the server is due; `null`: there is none. */
  next: number | null
  /** Whether it only moves when it is told to. */
  isManual: boolean
  /** Whether it can be stopped and moved. */
  isMovable: boolean
}

/** Why nothing was done. */
export type ControlError = {
  /** What was wrong, and what to write. */
  error: string
}

/** A value for a feed. */
export interface ControlPublish {
  /** The value: anything that JSON has. */
  value: unknown
}

/** A message for one connection: exactly one of `text`, `json` and `binary`. */
export interface ControlSend {
  /** The connection's id. */
  connection: string
  /** A text message. */
  text?: string | null
  /** A text message of JSON. */
  json?: unknown
  /** A binary message, in base64. */
  binary?: string | null
}

/** A message for everyone on a route, or in one of its rooms: exactly one of `text`, `json` and `binary`. */
export interface ControlBroadcast {
  /** The route's pattern, as it was written or with one of its prefixes. */
  route: string
  /** Only to the members of this room. Default: to everyone on the route. */
  room?: string | null
  /** A text message. */
  text?: string | null
  /** A text message of JSON. */
  json?: unknown
  /** A binary message, in base64. */
  binary?: string | null
}

/** Which connections are closed, and how. Exactly one of `connection`, `route` and `everyone`. */
export interface ControlClose {
  /** The connection with this id. */
  connection?: string | null
  /** Everyone on the route with this pattern. */
  route?: string | null
  /** Beside `route`: only the members of this room. */
  room?: string | null
  /** All connections of the server. */
  everyone?: boolean
  /** 1000-1003, 1007-1014 or 3000-4999. Default 1000. */
  code?: number | null
  /** The close reason, at most 123 bytes. Default none. */
  reason?: string
}

/** Which connections are dropped. Exactly one of `connection`, `route` and `everyone`. */
export interface ControlTerminate {
  /** The connection with this id. */
  connection?: string | null
  /** Everyone on the route with this pattern. */
  route?: string | null
  /** Beside `route`: only the members of this room. */
  room?: string | null
  /** All connections of the server. */
  everyone?: boolean
}

/** Faults, and which connections they are for. Exactly one of `connection`, `route` and `everyone`. */
export interface ControlAddFaults {
  /** The connection with this id. */
  connection?: string | null
  /** Everyone on the route with this pattern; if there is none, those whose whole path matches it. */
  route?: string | null
  /** Beside `route`: only while they are in this room. */
  room?: string | null
  /** All connections of the server. */
  everyone?: boolean
  /** One fault, several, or a condition's name, as in the configuration. */
  faults: FaultList
}

/**
 * A breakpoint, which holds messages until somebody decides about them: all that pass a connection, a room, a route or
 * everyone, or those that are like what it says. Exactly one of `connection`, `route` and `everyone`.
 */
export interface ControlAddBreakpoint {
  /** The connection with this id. */
  connection?: string | null
  /** Everyone on the route with this pattern; if there is none, those whose whole path matches it. */
  route?: string | null
  /** Beside `route`: only while they are in this room. */
  room?: string | null
  /** All connections of the server. */
  everyone?: boolean
  /** Which way the messages go. Default `both`. */
  direction?: ControlBreakpointDirection
  /** Only messages of this kind. Default: both. */
  kind?: ControlMessageKind | null
  /** Only text messages with this in their first 64 KiB, at most 4096 bytes. */
  contains?: string | null
  /**
   * Only text messages of which this regular expression matches something in the first 64 KiB, at most 4096 bytes, in the
   * syntax of the Rust crate regex.
   */
  expression?: string | null
  /** After so many messages, at least 1, it ends. Default: it does not. */
  limit?: number | null
  /** For how long a message is held in ms, 1 to 600000; then it goes on as it is. Default 60000. */
  timeout?: number | null
  /**
   * Whether it stays when nobody is told live events. Otherwise it ends when there was no subscriber, and no request about
   * breakpoints, for 10 s, so that a page that was closed stops no application. Default false.
   */
  persist?: boolean
}

/** What becomes of a message that is held. With one of `text`, `json` and `binary` that message goes on in its place. */
export interface ControlDecideHeld {
  /** `pass` or `drop`. */
  action: ControlHeldAction
  /** Beside `pass`: a text message instead. */
  text?: string | null
  /** Beside `pass`: a text message of JSON instead. */
  json?: unknown
  /** Beside `pass`: a binary message instead, in base64. */
  binary?: string | null
}

/** What becomes of a message that is held. */
export type ControlHeldAction = 'pass' | 'drop'

/** What becomes of all messages that are held. */
export interface ControlDecideAllHeld {
  /** `pass` or `drop`. */
  action: ControlHeldAction
  /** Only those of the connection with this id. Default: of all. */
  connection?: string | null
}

/** Which clients are not read for a time. Exactly one of `connection`, `route` and `everyone`. */
export interface ControlPause {
  /** The connection with this id. */
  connection?: string | null
  /** Everyone on the route with this pattern. */
  route?: string | null
  /** Beside `route`: only the members of this room. */
  room?: string | null
  /** All connections of the server. */
  everyone?: boolean
  /** For how long in ms, 1 to 600000; then they are read again. Default 60000. */
  timeout?: number | null
}

/** Which clients are read again. Exactly one of `connection`, `route` and `everyone`. */
export interface ControlResume {
  /** The connection with this id. */
  connection?: string | null
  /** Everyone on the route with this pattern. */
  route?: string | null
  /** Beside `route`: only the members of this room. */
  room?: string | null
  /** All connections of the server. */
  everyone?: boolean
}

/** A recording to start. */
export interface ControlStartRecording {
  /**
   * The file's name, in the folder `recordings` of the configuration: letters, digits, `.`, `_` and `-`, at most 100, with
   * `.jsonl` at the end. A file that is there is appended to.
   */
  name: string
  /** The route with this pattern; if there is none, those whose whole path matches it. Default: all. */
  route?: string | null
  /** Regular expressions for secrets besides the usual ones: what they match is written as `***`. Default none. */
  mask?: string[]
}

/** What is done with the clock: exactly one of `pause`, `resume`, `advance` and `runNext`. */
export interface ControlMoveClock {
  /** Time stands still from now on. */
  pause?: boolean
  /** Time passes by itself from now on, beginning where it stood. */
  resume?: boolean
  /**
   * Moves on by so many ms, at most 366 days, and runs everything that is due on the way: heartbeats, timeouts, delays,
   * feeds, retries. The answer comes when what they have started is done.
   */
  advance?: number | null
  /** Moves on to the next timer, and runs it. */
  runNext?: boolean
}

/** How the connections are closed that a reset closes. */
export interface ControlReset {
  /** 1000-1003, 1007-1014 or 3000-4999. Default 1012, service restart. */
  code?: number | null
  /** The close reason, at most 123 bytes. Default: `The server was reset`. */
  reason?: string | null
}

/** What a subscriber of live events sends to be told others from now on. */
export type ControlSubscribe = {
    type: 'subscribe'
    /** The kinds of events. Default: all but `control`. */
    kinds?: ControlEventKind[]
    /** Only events of the route with this pattern, as it was written or with its first prefix. Default: of all. */
    route?: string | null
    /** Only events of the connection with this id. Default: of all. */
    connection?: string | null
    /** How much of a message is shown, 0 to 65536 bytes. Default 4096. */
    payloadBytes?: number
    /** How many of the latest events that are kept are told first, 0 to 1000, as far as they fit in 512 KiB. Default 0. */
    recent?: number
  }
