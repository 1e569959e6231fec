/**
 * The control API from a program or a page: a typed client.
 *
 * @module
 */

import type {
  ControlAddBreakpoint,
  ControlAddFaults,
  ControlBreakpoint,
  ControlBreakpoints,
  ControlClock,
  ControlClose,
  ControlConnection,
  ControlConnections,
  ControlDecideAllHeld,
  ControlDecideHeld,
  ControlDone,
  ControlEvent,
  ControlFault,
  ControlFaults,
  ControlFeeds,
  ControlFeedValues,
  ControlHeld,
  ControlPause,
  ControlMessages,
  ControlPresences,
  ControlRecording,
  ControlRecordings,
  ControlReset,
  ControlResume,
  ControlRooms,
  ControlRoutes,
  ControlServer,
  ControlStartRecording,
  ControlSubscribe,
  ControlTerminate,
  Stats,
} from '../interface/control-api.js'
import { duration, type Duration } from '../values/duration.js'
import { VARIABLE } from './access.js'
import { ControlFailure, requests, rootOf } from './request.js'

export type * from '../interface/control-api.js'
export { ControlFailure }

/** The most events that wait for who iterates over them; one more is left out and counted. */
const MOST_WAITING = 10_000

/** How a server is reached. */
export interface ConnectOptions {
  /** The token of its control API. Default: the environment variable `SWITCHBOARD_CONTROL_TOKEN` of this process. */
  token?: string
}

/** A page of a list. */
export interface PageQuery {
  /** Only of the route with this pattern. */
  route?: string
  /** How many at most, 1 to 1000. Default 100. */
  limit?: number
  /** Go on behind an earlier answer: its `next`. */
  after?: string
}

/** What is sent: text, bytes, or a value as JSON. */
export type ControlMessage = string | Uint8Array | object | number | boolean | null

/** Which events are told, and how much of them. */
export type EventOptions = Omit<Extract<ControlSubscribe, { type: 'subscribe' }>, 'type'>

/** A server as its control API shows it. Every method rejects with a {@link ControlFailure}. */
export interface ControlClient {
  /** What serves. */
  server(): Promise<ControlServer>
  /** The routes, in the order in which they are tried. */
  routes(): Promise<ControlRoutes>
  /** A page of connections; with `room`, of its members; with the state `closed`, those that have ended lately. */
  connections(query?: PageQuery & { room?: string; state?: 'open' | 'closed' }): Promise<ControlConnections>
  /** One connection, also one that has ended lately. */
  connection(id: string): Promise<ControlConnection>
  /** The latest messages of one connection, also of one that has ended lately, the oldest first. */
  messages(connection: string, query?: { limit?: number }): Promise<ControlMessages>
  /** A page of the rooms that have members. */
  rooms(query?: PageQuery): Promise<ControlRooms>
  /** Who is present. */
  presence(query?: Omit<PageQuery, 'after'>): Promise<ControlPresences>
  /** How much the server holds. */
  stats(): Promise<Stats>
  /** The feeds. */
  feeds(): Promise<ControlFeeds>
  /** A feed with its latest values. */
  feed(name: string, query?: { limit?: number }): Promise<ControlFeedValues>
  /** Publishes a value on a feed. */
  publish(feed: string, value: unknown): Promise<ControlDone>
  /** Sends a message to one connection, as the server. */
  send(connection: string, message: ControlMessage): Promise<ControlDone>
  /** Sends a message to everyone on a route, or in one of its rooms. */
  broadcast(route: string, message: ControlMessage, options?: { room?: string }): Promise<ControlDone>
  /** Starts the closing handshake with one connection, a room, a route or everyone. */
  close(which: ControlClose): Promise<ControlDone>
  /** Drops connections without a close frame. */
  terminate(which: ControlTerminate): Promise<ControlDone>
  /** The faults that this API has added and not taken back. */
  faults(): Promise<ControlFaults>
  /** Adds faults for one connection, a room, a route or everyone. */
  addFaults(faults: ControlAddFaults): Promise<ControlFault>
  /** Takes back what {@link addFaults} has added; without an id everything that was added. */
  removeFaults(id?: number): Promise<ControlDone>
  /** The breakpoints, and the messages that they hold. */
  breakpoints(): Promise<ControlBreakpoints>
  /** Adds a breakpoint: messages that match are held until somebody decides about them, or for 60 s. */
  addBreakpoint(breakpoint: ControlAddBreakpoint): Promise<ControlBreakpoint>
  /** Takes back what {@link addBreakpoint} has added, without an id all breakpoints. What they hold goes on. */
  removeBreakpoints(id?: number): Promise<ControlDone>
  /** A message that is held, with all of its payload. */
  held(id: number): Promise<ControlHeld>
  /** Passes a message that is held, as it is or another one in its place, or drops it. */
  decideHeld(id: number, decision: ControlDecideHeld): Promise<ControlDone>
  /** Passes or drops all messages that are held, or those of one connection. */
  decideAllHeld(decision: ControlDecideAllHeld): Promise<ControlDone>
  /** Stops reading one connection, those in a room, on a route or all, for 60 s if not told otherwise. */
  pause(which: ControlPause): Promise<ControlDone>
  /** Reads connections again that were paused. */
  resume(which: ControlResume): Promise<ControlDone>
  /** What is recorded now, and how much of it. */
  recordings(): Promise<ControlRecordings>
  /** The file of a recording, also of one that was stopped: JSON Lines, as far as it is written. */
  recording(name: string): Promise<string>
  /** Starts a recording of a route, or of everyone, in the folder `recordings` of the configuration. Credentials are left out. */
  startRecording(recording: ControlStartRecording): Promise<ControlRecording>
  /** Stops a recording that was started. The file is complete some ms later. */
  stopRecording(name: string): Promise<ControlDone>
  /** The time of the server, and moving it on. */
  readonly clock: ControlledClock
  /** Makes the server like a fresh one: closes all connections, and forgets what feeds keep, what was counted, and that time was stopped. */
  reset(options?: ControlReset): Promise<ControlDone>
  /** Opens a WebSocket that tells live events. Resolves when it tells them. */
  events(options?: EventOptions): Promise<ControlEvents>
}

/** The time of a server. The native server's shows real time and cannot be moved: there all but `now` reject with 409. */
export interface ControlledClock {
  /** What it shows, and whether it can be moved. */
  now(): Promise<ControlClock>
  /** From now on time stands still. */
  pause(): Promise<ControlClock>
  /** From now on time passes by itself, beginning where it stood. */
  resume(): Promise<ControlClock>
  /**
   * Moves a clock that stands on by so many ms, or by text such as `'30s'`, at most 366 days. Resolves when everything that
   * was due has run, and when what it started is done.
   */
  advance(time: Duration): Promise<ControlClock>
  /** Moves a clock that stands on to the next timer, and runs it. */
  runNext(): Promise<ControlClock>
}

/** Live events, in their order, until either side ends it. Only one loop may take them. */
export interface ControlEvents extends AsyncIterableIterator<ControlEvent> {
  /** How many events come first that had happened before, as `recent` asked for. Default: 0. */
  readonly recent: number
  /** Has others told from now on. What is wrong with it comes as an event of the type `rejected`. */
  subscribe(options: EventOptions): void
  /** Ends it; what has come is still given. */
  close(): void
}

/** Looks at a server: at its address, such as `http://localhost:5173`. Rejects if it has no control API, or another token. */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<ControlClient> {
  const token = options.token || ofThisProcess()
  if (!token) throw new ControlFailure(0, `connect: there is no token; pass { token }, or set ${VARIABLE} for the server and for this process`)
  const root = rootOf(url)
  const ask = requests(root, token)
  const part = (name: string): string => encodeURIComponent(name)
  const client: ControlClient = {
    server: () => ask(''),
    routes: () => ask('/routes'),
    connections: (query) => ask('/connections', query),
    connection: (id) => ask(`/connections/${part(id)}`),
    messages: (connection, query) => ask(`/connections/${part(connection)}/messages`, query),
    rooms: (query) => ask('/rooms', query),
    presence: (query) => ask('/presence', query),
    stats: () => ask('/stats'),
    feeds: () => ask('/feeds'),
    feed: (name, query) => ask(`/feeds/${part(name)}`, query),
    publish: (feed, value) => ask(`/feeds/${part(feed)}`, {}, { value }),
    send: (connection, message) => ask('/send', {}, { connection, ...carried(message) }),
    broadcast: (route, message, options) => ask('/broadcast', {}, { route, room: options?.room, ...carried(message) }),
    close: (which) => ask('/close', {}, which),
    terminate: (which) => ask('/terminate', {}, which),
    faults: () => ask('/faults'),
    addFaults: (faults) => ask('/faults', {}, faults),
    removeFaults: (id) => ask(id === undefined ? '/faults' : `/faults/${id}`, {}, undefined, 'DELETE'),
    breakpoints: () => ask('/breakpoints'),
    addBreakpoint: (breakpoint) => ask('/breakpoints', {}, breakpoint),
    removeBreakpoints: (id) => ask(id === undefined ? '/breakpoints' : `/breakpoints/${id}`, {}, undefined, 'DELETE'),
    held: (id) => ask(`/held/${id}`),
    decideHeld: (id, decision) => ask(`/held/${id}`, {}, decision),
    decideAllHeld: (decision) => ask('/held', {}, decision),
    pause: (which) => ask('/pause', {}, which),
    resume: (which) => ask('/resume', {}, which),
    recordings: () => ask('/recordings'),
    recording: (name) => ask(`/recordings/${part(name)}`),
    startRecording: (recording) => ask('/recordings', {}, recording),
    stopRecording: (name) => ask(`/recordings/${part(name)}`, {}, undefined, 'DELETE'),
    clock: {
      now: () => ask('/clock'),
      pause: () => ask('/clock', {}, { pause: true }),
      resume: () => ask('/clock', {}, { resume: true }),
      advance: async (time) => ask('/clock', {}, { advance: duration(time, 'clock.advance') }),
      runNext: () => ask('/clock', {}, { runNext: true }),
    },
    reset: (options = {}) => ask('/reset', {}, options),
    events: (options = {}) => listen(root, token, options),
  }
  await client.server()
  return client
}

/** A page has no environment. */
function ofThisProcess(): string | undefined {
  return typeof process === 'undefined' ? undefined : process.env?.[VARIABLE]
}

function carried(message: ControlMessage): { text: string } | { binary: string } | { json: unknown } {
  if (typeof message === 'string') return { text: message }
  if (!(message instanceof Uint8Array)) return { json: message }
  let bytes = ''
  for (const byte of message) bytes += String.fromCharCode(byte)
  return { binary: btoa(bytes) }
}

async function listen(root: URL, token: string, options: EventOptions): Promise<ControlEvents> {
  // Node 20 has none of its own.
  const { WebSocket } = ('WebSocket' in globalThis ? globalThis : await import('ws')) as unknown as {
    WebSocket: new (url: URL) => Socket
  }
  const url = new URL(`${root.href}/events`)
  url.protocol = root.protocol === 'https:' ? 'wss:' : 'ws:'
  url.searchParams.set('token', token)
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && value !== null) url.searchParams.set(name, String(value))
  }
  const events = new Events(new WebSocket(url))
  const first = await events.next()
  if (first.done) throw new ControlFailure(0, `${root.origin} tells no events`)
  if (first.value.type === 'rejected') throw new ControlFailure(400, first.value.error)
  if (first.value.type === 'subscribed') events.recent = first.value.recent ?? 0
  return events
}

/** What is needed of a WebSocket, which browsers, Node 22 and `ws` have. */
interface Socket {
  send(text: string): void
  close(): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'error' | 'close', listener: () => void): void
}

class Events implements ControlEvents {
  recent = 0
  readonly #socket: Socket
  readonly #waiting: ControlEvent[] = []
  readonly #takers: ((result: IteratorResult<ControlEvent>) => void)[] = []
  #leftOut = 0
  #isOver = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#told(JSON.parse(data as string) as ControlEvent))
    // A close event follows.
    socket.addEventListener('error', () => {})
    socket.addEventListener('close', () => {
      this.#isOver = true
      for (const take of this.#takers.splice(0)) take({ done: true, value: undefined })
    })
  }

  subscribe(options: EventOptions): void {
    this.#socket.send(JSON.stringify({ type: 'subscribe', ...options }))
  }

  close(): void {
    this.#socket.close()
  }

  async next(): Promise<IteratorResult<ControlEvent>> {
    const value = this.#waiting.shift()
    if (value) return { done: false, value }
    if (this.#leftOut > 0) {
      const count = this.#leftOut
      this.#leftOut = 0
      return { done: false, value: { type: 'missed', count } }
    }
    if (this.#isOver) return { done: true, value: undefined }
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  /** A loop has ended. */
  async return(): Promise<IteratorResult<ControlEvent>> {
    this.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #told(event: ControlEvent): void {
    const take = this.#takers.shift()
    if (take) return take({ done: false, value: event })
    if (this.#leftOut > 0 || this.#waiting.length >= MOST_WAITING) this.#leftOut++
    else this.#waiting.push(event)
  }
}
