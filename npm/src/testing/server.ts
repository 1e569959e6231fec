/** A server for tests. */

import type { IncomingMessage } from 'node:http'

import { type Started, start } from '../attach.js'
import type { Observer } from '../connection/host.js'
import type { Socket } from '../connection/socket.js'
import type { Clock } from '../interface/clock.js'
import type { Faults } from '../interface/faults.js'
import type { Recordings } from '../interface/recordings.js'
import type { SwitchboardOptions } from '../interface/options.js'
import type { Switchboard } from '../interface/switchboard.js'
import type { Expected, Refusal, ServeOptions, Serves, TestConnection, TestServer, VerifyOptions, WaitOptions } from '../interface/testing.js'
import { shapeOf } from '../values/arguments.js'
import { InvalidMessageError } from '../values/validation.js'
import { ObservedConnection, receivedLines } from './connection.js'
import { connectionLine, count, list, show } from './description.js'
import { Deviations } from './deviations.js'
import { failure } from './failure.js'
import { HOST, Listener, pathOf } from './listener.js'
import { type Message, SUBJECT, type Subject, take } from './message.js'
import { before, given, load, orEverything, type Source } from './sources.js'
import { Changes } from './waiting.js'

/** How long in ms a call waits where nothing else was said. */
const TIMEOUT = 1000

/** How long in ms connections that are closing may take at the end of a test. */
const FAREWELL = 250

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
  readonly #deviations: Deviations
  readonly #listener: Listener
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
    this.#deviations = new Deviations(this.switchboard, this.log)
    this.#listener = new Listener(this.#started, server, {
      refused: (request, status) => this.#refused(request, status),
      closed: () => void this.close(),
    })
  }

  /** Ready when this is done. */
  listen(): Promise<void> {
    return this.#listener.listen()
  }

  get port(): number {
    return this.#listener.port
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
    for (const one of this.#opened) if (!one.isGone) one.terminate()
    this.#listener.down()
  }

  up(): void {
    this.#listener.up()
  }

  refuse(status: number, options?: { times?: number; headers?: Record<string, string> }): void {
    this.#listener.refuse(status, options)
  }

  async reset(): Promise<void> {
    this.#listener.reset()
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
    this.#deviations.reset()
    for (const list of [this.refusals, this.errors, this.log]) list.length = 0
  }

  async verify({ leftovers = false, unread = false, errors = false, violations = false, mismatches = false }: VerifyOptions = {}): Promise<void> {
    const open = (): ObservedConnection[] => this.#opened.filter(({ isGone }) => !isGone)
    if (!leftovers) await this.changes.within(() => open().length === 0 || undefined, FAREWELL)
    const problems: string[] = []
    if (!errors && this.errors.length > 0) problems.push(...this.errors.map((error) => `${this.#threw.get(error) ?? 'a handler'} threw ${shownError(error)}`))
    if (!violations) problems.push(...this.#deviations.violated())
    if (!mismatches) problems.push(...this.#deviations.mismatched())
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

  async #close(): Promise<void> {
    this.#listener.detach()
    await this.switchboard.close({ grace: 0 })
    await this.#listener.close()
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

  #refused(request: IncomingMessage, status: number): void {
    this.refusals.push({ path: pathOf(request), status })
    this.changes.tell()
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

function shownError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : show(error)
}
