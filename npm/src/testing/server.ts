/** A server for tests. */

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket as NetSocket } from 'node:net'
import type { Duplex } from 'node:stream'

import { attachTo } from '../accept/attachment.js'
import { type Started, start } from '../attach.js'
import type { Observer } from '../connection/host.js'
import { ignore, respond, type Socket } from '../connection/socket.js'
import type { Clock } from '../interface/clock.js'
import type { Faults } from '../interface/faults.js'
import type { Recordings } from '../interface/recordings.js'
import type { SwitchboardOptions } from '../interface/options.js'
import type { HttpServer, Switchboard } from '../interface/switchboard.js'
import type { Expected, Refusal, ServeOptions, Serves, TestConnection, TestServer, VerifyOptions, WaitOptions } from '../interface/testing.js'
import { shapeOf } from '../values/arguments.js'
import { InvalidMessageError } from '../values/validation.js'
import { ObservedConnection, receivedLines } from './connection.js'
import { connectionLine, count, list, show } from './description.js'
import { failure } from './failure.js'
import { type Message, SUBJECT, type Subject, take } from './message.js'
import { before, given, load, orEverything, type Source } from './sources.js'
import { Changes } from './waiting.js'

/** How long in ms a call waits where nothing else was said. */
const TIMEOUT = 1000

/** How long in ms connections that are closing may take at the end of a test. */
const FAREWELL = 250

const HOST = '127.0.0.1'

/**
 * Starts a server for tests. It has a port of its own and shares nothing with others of the same process.
 *
 * @param what What it serves: handlers, a configuration file, handler files, or options. Default: it accepts everyone.
 * @param options Further options.
 * @throws What is wrong with the options or files.
 */
export async function serve(what?: Serves | null, options: ServeOptions = {}): Promise<TestServer> {
  if (typeof options !== 'object' || options === null) throw new TypeError(`serve: expected options such as { clock: 'manual' }, got ${shapeOf(options)}`)
  const first = given(what, 'serve', options.endpointPrefix)
  const more = given({ wsHandlers: [], ...options } as ServeOptions, 'serve')
  const all: ServeOptions = { ...first.options, ...more.options }
  const source: Source = {
    routes: [...first.source.routes, ...more.source.routes, ...(await load([...first.files, ...more.files], all.endpointPrefix))],
    config: first.source.config ?? more.source.config,
  }
  const server = new ObservedServer(source, all)
  await server.listen()
  return server
}

class ObservedServer implements TestServer {
  readonly changes = new Changes()
  readonly timeout: number
  readonly switchboard: Switchboard
  readonly refusals: Refusal[] = []
  readonly errors: unknown[] = []
  readonly log: string[] = []
  readonly #started: Started
  /** What the Switchboard reads at each change. */
  readonly #options: SwitchboardOptions
  readonly #prefix: string | string[] | undefined
  /** What it was started with. */
  readonly #initial: Source
  #source: Source
  readonly #isManual: boolean
  /** Names of what handlers threw. */
  readonly #threw = new Map<unknown, string>()
  readonly #bySocket = new WeakMap<Socket, ObservedConnection>()
  /** Since the last {@link reset}, in the order in which they came. */
  #opened: ObservedConnection[] = []
  /** Those that {@link connection} gave. */
  readonly #given = new WeakSet<ObservedConnection>()
  /** What came in this turn, and is told at its end. */
  #arriving: (ObservedConnection | Message)[] = []
  #messages: Message[] = []
  /** How many messages had broken contracts before. */
  #violations: Record<string, number> = {}
  #mismatches: Record<string, number> = {}
  #refusing: { status: number; times: number; headers: Record<string, string> } | undefined
  #isDown = false
  readonly #own: Server | undefined
  readonly #http: HttpServer
  readonly #transports = new Set<NetSocket>()
  #detach: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor(source: Source, { timeout = TIMEOUT, server, endpointPrefix, files: _, ...options }: ServeOptions) {
    this.timeout = timeout
    this.#prefix = endpointPrefix
    this.#initial = source
    this.#source = source
    this.#isManual = options.clock === 'manual'
    const write = (level: string) => (line: string): void => void this.log.push(`${level} ${line}`)
    this.#options = {
      origins: '*',
      allowedHosts: true,
      // Variables of the process that add routes are not for tests.
      environment: {},
      shutdownGrace: 0,
      logger: { info: write('info'), warn: write('warn'), error: write('error') },
      ...options,
      // The prefix is in the routes.
      endpointPrefix: [],
      ...this.#served(source),
    }
    this.#started = start(this.#options, process.cwd(), { observer: this.#observer })
    this.switchboard = this.#started.switchboard
    this.#own = server === undefined ? createServer() : undefined
    this.#http = server ?? this.#own!
  }

  /** Ready when this is done. */
  async listen(): Promise<void> {
    const own = this.#own
    if (own === undefined) {
      const running = this.#started.running!
      this.#detach = attachTo(this.#http, {
        upgrade: (request, socket, head) => running.host.serves(pathOf(request)) && this.#upgrade(request, socket, head ?? undefined),
        request: this.switchboard.request,
        serves: (path) => running.host.serves(path),
        nearest: (path) => running.host.nearest(path),
        untaken: () => {},
        unclaimed: (path) => running.host.unclaimed(path),
        loadingFor: () => undefined,
        closed: () => void this.close(),
      })
      return
    }
    own.on('connection', (socket) => {
      if (this.#isDown) return void socket.resetAndDestroy()
      this.#transports.add(socket)
      socket.on('close', () => this.#transports.delete(socket))
    })
    own.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    own.on('request', (request, response) => this.#request(request, response))
    // A test that forgets to close it must not keep its process.
    own.unref()
    await new Promise<void>((resolve, reject) => {
      own.on('error', reject)
      own.listen(0, HOST, resolve)
    })
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  url(path = '/'): string {
    if (typeof path !== 'string') throw new TypeError(`url: expected a path such as '/chat', got ${shapeOf(path)}`)
    return `ws://${HOST}:${this.port}${path.startsWith('/') ? '' : '/'}${path}`
  }

  get clock(): Clock {
    return this.switchboard.clock
  }

  get recordings(): Recordings {
    return this.switchboard.recordings
  }

  get faults(): Faults {
    return this.switchboard.faults
  }

  get connections(): TestConnection[] {
    return this.#opened.filter(({ isOpen }) => isOpen)
  }

  get received(): unknown[] {
    return this.#messages.map(({ value }) => value)
  }

  connection(which?: string | ((connection: TestConnection) => boolean), { timeout = this.timeout }: WaitOptions = {}): Promise<TestConnection> {
    const fits = (one: ObservedConnection): boolean =>
      !this.#given.has(one) && (which === undefined || (typeof which === 'string' ? one.path === which : Boolean(which(one))))
    const look = (): TestConnection | undefined => {
      const found = this.#opened.find(fits)
      if (found) this.#given.add(found)
      return found
    }
    const late = (): string => `no ${this.#opened.length > 0 ? 'further ' : ''}connection${typeof which === 'string' ? ` on ${which}` : ''} was opened within ${timeout} ms\n${this.#describe()}`
    return this.changes.until(look, timeout, late, this.connection)
  }

  async next(...[expected, { timeout = this.timeout } = {}]: [Expected?, WaitOptions?]): Promise<any> {
    const look = (): Message | undefined => take(this.#messages, expected, expected === undefined)
    const late = (): string => `no message${expected === undefined ? '' : ` that matches ${show(expected)}`} came within ${timeout} ms\n${this.#describe()}`
    return (await this.changes.until(look, timeout, late, this.next)).value
  }

  send(data: unknown): number {
    const open = this.connections
    for (const one of open) one.send(data)
    return open.length
  }

  use(what: Serves): Promise<void> {
    return this.#change(what, 'use', ({ routes, config }) => ({
      routes: before(routes, this.#source.routes),
      config: config ?? this.#source.config,
    }))
  }

  resetHandlers(what?: Serves): Promise<void> {
    return this.#change(what, 'resetHandlers', (source) => (what === undefined ? this.#initial : source))
  }

  down(): void {
    this.#isDown = true
    for (const one of this.#opened) if (!one.isGone) one.terminate()
    for (const socket of this.#transports) socket.destroy()
  }

  up(): void {
    this.#isDown = false
  }

  refuse(status: number, { times = Number.POSITIVE_INFINITY, headers = {} }: { times?: number; headers?: Record<string, string> } = {}): void {
    if (!Number.isInteger(status) || status < 300 || status > 599) {
      throw new RangeError(`refuse: expected an HTTP status from 300 to 599 such as 503, got ${show(status)}`)
    }
    this.#refusing = { status, times, headers }
  }

  async reset(): Promise<void> {
    this.#isDown = false
    this.#refusing = undefined
    this.faults.clear()
    if (this.#source !== this.#initial) await this.resetHandlers()
    for (const one of this.#opened) if (!one.isGone) one.terminate()
    await this.changes.within(() => this.#opened.every(({ isGone }) => isGone) || undefined, this.timeout)
    if (this.#isManual) this.clock.pause()
    else this.clock.resume()
    this.#opened = []
    this.#messages = []
    this.#arriving = []
    this.#threw.clear()
    const { contractViolations, mismatches } = this.switchboard.stats()
    this.#violations = contractViolations
    this.#mismatches = mismatches
    for (const list of [this.refusals, this.errors, this.log]) list.length = 0
  }

  async verify({ leftovers = false, unread = false, errors = false, violations = false, mismatches = false }: VerifyOptions = {}): Promise<void> {
    const open = (): ObservedConnection[] => this.#opened.filter(({ isGone }) => !isGone)
    if (!leftovers) await this.changes.within(() => open().length === 0 || undefined, FAREWELL)
    const problems: string[] = []
    if (!errors && this.errors.length > 0) problems.push(...this.errors.map((error) => `${this.#threw.get(error) ?? 'a handler'} threw ${shownError(error)}`))
    if (!violations) problems.push(...this.#violated())
    if (!mismatches) problems.push(...this.#mismatched())
    if (!leftovers && open().length > 0) {
      problems.push(`${count(open().length, 'connection is', 'connections are')} still open; close the client at the end of the test, or allow leftovers:\n${list(open().map(connectionLine))}`)
    }
    const left = this.#messages.filter(({ isRead }) => !isRead)
    if (unread && left.length > 0) {
      problems.push(`${count(left.length, 'message was', 'messages were')} not read:\n${list(left.map(({ from, value }) => `${from.url}: ${show(value)}`))}`)
    }
    if (problems.length > 0) throw failure(problems, errors ? undefined : this.errors[0])
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A message came; it is told at the end of the turn, when handlers have had it. */
  heard(message: Message): void {
    this.#arriving.push(message)
    if (!this.#isReading) this.#arrived()
  }

  /** What matchers need. */
  get [SUBJECT](): Subject & { open(): number } {
    return {
      name: 'server',
      timeout: this.timeout,
      messages: this.#messages,
      within: (look, limit) => this.changes.within(look, limit),
      describe: () => this.#describe(),
      open: () => this.connections.length,
    }
  }

  /** How many messages broke the contract of each route since the last {@link reset}, and what the log says of them. */
  #violated(): string[] {
    const all = Object.entries(this.switchboard.stats().contractViolations)
    const lines = this.log.filter((line) => line.includes('contract'))
    const said = list(lines.map((line) => line.replace(/^.*?\[switchboard\]\S* /, '')))
    return all.flatMap(([pattern, total]) => {
      const broke = total - (this.#violations[pattern] ?? 0)
      return broke > 0 ? [`${count(broke, 'message', 'messages')} broke the contract of ${pattern}:\n${said}`] : []
    })
  }

  /** How many messages were not what each route expects since the last {@link reset}, and what the log says of them. */
  #mismatched(): string[] {
    const all = Object.entries(this.switchboard.stats().mismatches)
    const lines = this.log.filter((line) => line.includes(' came from the client, where '))
    const said = list(lines.map((line) => line.replace(/^.*?\[switchboard\]\S* /, '')))
    return all.flatMap(([pattern, total]) => {
      const differed = total - (this.#mismatches[pattern] ?? 0)
      return differed > 0 ? [`${count(differed, 'message', 'messages')} did not match on ${pattern}:\n${said}`] : []
    })
  }

  async #close(): Promise<void> {
    this.#detach?.()
    await this.switchboard.close({ grace: 0 })
    const own = this.#own
    if (own === undefined) return
    own.closeAllConnections()
    for (const socket of this.#transports) socket.destroy()
    await new Promise<void>((resolve) => own.close(() => resolve()))
  }

  #served({ routes, config }: Source): { routes: SwitchboardOptions['routes']; config?: string } {
    return { routes: orEverything({ routes, config }), ...(config === undefined ? {} : { config }) }
  }

  #change(what: Serves | undefined, name: string, next: (source: Source) => Source): Promise<void> {
    const { source, files, options } = given(what, name, this.#prefix)
    const [unknown] = Object.keys(options).filter((key) => key !== 'endpointPrefix')
    if (unknown !== undefined) throw new TypeError(`${name}: ${unknown} is an option of serve; here only handlers, routes, files and config count`)
    if (files.length === 0) {
      this.#apply(next(source))
      return Promise.resolve()
    }
    return load(files, options.endpointPrefix ?? this.#prefix).then((routes) => this.#apply(next({ ...source, routes: [...source.routes, ...routes] })))
  }

  #apply(source: Source): void {
    const { routes, config } = this.#options
    Object.assign(this.#options, { config: undefined }, this.#served(source))
    try {
      this.#started.reconfigure([])
      this.#source = source
    } catch (error) {
      Object.assign(this.#options, { routes, config })
      throw error
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head?: Buffer): boolean {
    const refusing = this.#refusing
    if (this.#isDown) {
      socket.destroy()
    } else if (refusing && refusing.times > 0) {
      refusing.times--
      this.#refuse(request, socket, refusing.status, refusing.headers)
    } else if (!this.switchboard.upgrade(request, socket, head)) {
      this.#refuse(request, socket, 404, {}, `nothing is served on ${pathOf(request)}; served are ${this.switchboard.patterns.join(', ')}\n`)
    }
    return true
  }

  #refuse(request: IncomingMessage, socket: Duplex, status: number, headers: Record<string, string>, body = ''): void {
    socket.on('error', ignore)
    this.#refused(request, status)
    const lines = Object.entries({ ...headers, Connection: 'close', 'Content-Length': Buffer.byteLength(body) })
    respond(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
  }

  #refused(request: IncomingMessage, status: number): void {
    this.refusals.push({ path: pathOf(request), status })
    this.changes.tell()
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (!this.switchboard.request(request, response)) response.writeHead(404).end()
  }

  #describe(): string {
    const all = this.#opened
    const connections = all.length === 0 ? 'Connections: none' : `Connections: ${all.length}\n${list(all.map(connectionLine))}`
    const refused = this.refusals.length === 0 ? [] : [`Refused: ${this.refusals.map(({ path, status }) => `${path} with ${status}`).join(', ')}`]
    const named = (message: Message): string => (all.length > 1 ? `${all.indexOf(message.from as ObservedConnection) + 1} ${message.from.path}` : message.from.path)
    const received = all.length === 0 && this.#messages.length === 0 ? [] : [receivedLines(this.#messages, named)]
    return [connections, ...refused, ...received].join('\n')
  }

  #arrived(): void {
    if (this.#arriving.length === 0) return
    for (const one of this.#arriving.splice(0)) {
      if (one instanceof ObservedConnection) {
        this.#opened.push(one)
        continue
      }
      this.#messages.push(one)
      ;(one.from as ObservedConnection).messages.push(one)
    }
    this.changes.tell()
  }

  #isReading = false

  readonly #observer: Observer = {
    accepted: (socket, response) => {
      const opened = new ObservedConnection(this, socket, response)
      this.#bySocket.set(socket, opened)
      this.#arriving.push(opened)
    },
    refused: (socket, response) => {
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(response.toString('latin1', 0, 20)) ?? []
      this.#refused(socket.request, Number(status))
    },
    received: (socket, chunk) => {
      this.#isReading = true
      this.#bySocket.get(socket)?.read(chunk)
      this.#isReading = false
    },
    wrote: (socket, frames) => this.#bySocket.get(socket)?.wrote(frames),
    gone: (socket) => {
      this.#arrived()
      void this.#bySocket.get(socket)?.gone()
    },
    failed: (what, error) => {
      // A mistake of the client, which the handler is told of.
      if (error instanceof InvalidMessageError) return
      this.errors.push(error)
      this.#threw.set(error, what)
    },
    turned: () => this.#arrived(),
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split(/[?#]/, 1)[0]!
}

function shownError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : show(error)
}
