/** The engine's host on Node: what comes from sockets and users goes in, what the engine asks for is carried out. */

import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

import { Hooks } from '../callbacks/hooks.js'
import type { Setup } from '../config/setup.js'
import type { Observer } from '../connection/host.js'
import { Socket } from '../connection/socket.js'
import { Sockets } from '../connection/sockets.js'
import { Strings } from '../connection/strings.js'
import type { Call, ConnectionId } from '../engine/actor.js'
import { Claim, PayloadKind } from '../engine/contract.js'
import { Engine } from '../engine/engine.js'
import type { Core } from '../engine/wasm.js'
import type { Reconfiguration } from '../interface/reconfiguration.js'
import type { Stats } from '../interface/control-api.js'
import type { Log } from '../log/log.js'
import { Dialler } from '../upstream/dial.js'
import { shapeOf } from '../values/arguments.js'
import { type Payload, kindOf } from '../values/payload.js'
import { Alarm } from './alarm.js'
import type { Driven, HostClock } from './clock.js'
import { Effects } from './effects.js'
import { Rounds, type Work } from './rounds.js'
import { Routes } from './routes.js'
import { statsOf } from './stats.js'

/** The close frame for clients when the engine failed: they may reconnect at once. */
const RESTART = { code: 1012, reason: 'the server was restarted' }

/** An engine that is empty gives its memory back when it has more than this, in bytes. */
const LARGE = 64 * 1024 * 1024

/** Who looks after a host. */
export interface HostOwner {
  /** The engine failed: what it said, and how many connections that cost. From now on the host does nothing any more. */
  broken(said: string, closed: number): void
  /** The engine has nobody to serve, and so many bytes of memory, which only a new one gives back. */
  large(bytes: number): void
}

/** What a host has from the server around it, and its successors too. */
export interface HostSurroundings {
  /** Its time. */
  clock: HostClock
  /** Sees what passes. Default: nobody does. */
  observer?: Observer | undefined
}

/**
 * All connections of one engine.
 *
 * A message takes this way: Node shows bytes to {@link Socket}, which gives them to {@link Host.receive}; they are
 * copied to where the {@link Engine} finds them, and the engine is told. At the end of the round of Node's loop
 * ({@link Rounds}) a turn asks the engine what is to be done. {@link Effects} carries it out: sockets are accepted,
 * written to and closed, and {@link Hooks} runs the user's functions, whose calls on a connection come back here as
 * further inputs, until a turn finds nothing more to do.
 */
export class Host implements Driven {
  readonly #engine: Engine
  log: Log
  /** Where relative paths of files begin. */
  root: string
  /** The routes, from outside of their callbacks. */
  readonly routes: Routes
  #countsAddresses = false
  #needsPort = false
  #isAloneTold = false
  readonly #strings = new Strings()
  readonly #sockets = new Sockets()
  readonly #hooks: Hooks
  readonly #dialler: Dialler
  readonly #effects: Effects
  readonly #rounds: Rounds
  readonly #alarm: Alarm
  readonly #clock: HostClock
  readonly #owner: HostOwner
  /** Sees what passes, in tests. */
  readonly observer: Observer | undefined
  /** Clients that were sent a ping, and have sent nothing since, while the clock is manual. */
  readonly pinged = new Set<Socket>()
  /** No connections are taken any more; when the last one is gone, nothing happens any more. */
  #isClosing = false
  #isOver = false

  /** Throws what is wrong with the configuration. */
  constructor(setup: Setup, root: string, log: Log, owner: HostOwner, { clock, observer }: HostSurroundings) {
    this.#engine = new Engine(setup.data, randomBytes(32), clock)
    this.#clock = clock
    this.#alarm = new Alarm(clock, () => this.start())
    this.observer = observer
    this.log = log
    this.root = root
    this.#owner = owner
    this.#askAboutUpgrades()
    this.#hooks = new Hooks(this, setup.routes)
    this.#dialler = new Dialler(this)
    this.#effects = new Effects(this, { sockets: this.#sockets, dialler: this.#dialler, hooks: this.#hooks })
    this.#rounds = new Rounds(this.#work)
    this.routes = new Routes(this, this.#sockets)
  }

  /** Has the engine do what is due by now, first of all what begins by itself. */
  start(): void {
    this.#engine.tell((core) => core.timeout(), undefined)
    this.#rounds.turn()
  }

  /** Waits until what is to be appended to files by now is written. */
  async filesWritten(): Promise<void> {
    // Who asks may be called in a turn, which is over then.
    await Promise.resolve()
    this.#rounds.turn()
    await this.#effects.filesWritten()
  }

  /** Has the engine do what is due by now, after all that it was told before. */
  wake(): void {
    this.#rounds.turn()
    this.#engine.forgetTime()
    this.start()
  }

  /** The clock was stopped or started. */
  rearm(): void {
    this.#alarm.stop()
    this.pinged.clear()
    this.#engine.forgetTime()
    if (!this.#isOver) this.#alarm.set(this.#engine.batch.deadline)
  }

  /** The files that belong to the configuration, such as schemas. */
  get documents(): string[] {
    return this.#engine.documents
  }

  get deadline(): number | undefined {
    return this.#isOver || this.isBroken ? undefined : this.#engine.batch.deadline
  }

  get activity(): number {
    return this.#engine.activity
  }

  get isBusy(): boolean {
    return this.#rounds.isDue
  }

  *pending(): Iterable<object> {
    yield* this.#hooks.pending()
    yield* this.#dialler.pending()
    yield* this.#effects.pending()
  }

  /** Whether clients that are sent a ping are noted: then the clock waits for their pongs. */
  get notesPings(): boolean {
    return this.#clock.isManual
  }

  /**
   * Takes another configuration while connections are open: where route and dialect are the same they notice nothing, the
   * others are closed with 1012 and a reason. A function that is running ends, and its result counts. Throws what is wrong
   * with the configuration; then nothing has changed. `undefined` when the engine failed.
   */
  reconfigure(setup: Setup): Reconfiguration | undefined {
    // Calls that the engine has asked for already are for the functions of now.
    this.#rounds.turn()
    const done = this.#engine.reconfigure(setup.data)
    if (done === undefined) {
      this.#rounds.soon()
      return undefined
    }
    const { routes, ...reconfiguration } = done
    this.#hooks.take(setup.routes, routes)
    this.#askAboutUpgrades()
    this.#rounds.turn()
    return reconfiguration
  }

  #askAboutUpgrades(): void {
    this.#countsAddresses = this.#engine.ask((core) => core.counts_addresses(), false)
    this.#needsPort = this.#engine.ask((core) => core.needs_port(), false)
    if (this.#isAloneTold || !this.#engine.ask((core) => core.ignores_cluster(), false)) return
    this.#isAloneTold = true
    this.log.write('info', 'the cluster of the configuration is for the native server: this server is on its own')
  }

  /** Whether the engine failed, or was given up; nothing works any more. */
  get isBroken(): boolean {
    return this.#engine.isBroken
  }

  /**
   * Whether the request is ours; then it is answered together with what else this round of Node's loop brings.
   * `undefined`: it cannot be understood.
   */
  upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): boolean | undefined {
    // The upgrade may have been forwarded late: a socket that is already gone would emit no `close` any more.
    if (raw.destroyed || !raw.writable) return false
    const { method = 'GET', httpVersion, url = '', rawHeaders } = request
    // Asking for the address is a system call.
    const address = this.#countsAddresses ? (request.socket?.remoteAddress ?? '') : ''
    const text = `${method}\n${httpVersion}\n${url}\n${address}\n${rawHeaders.join('\n')}`
    const length = this.#engine.copy((memory) => memory.putRequest(text))
    if (this.#needsPort) this.#tellPort(request.socket?.localPort)
    const claim = this.#engine.tell<number>((core) => core.upgrade(length), Claim.Foreign)
    this.#rounds.soon()
    if (claim !== Claim.Ours) return claim === Claim.Foreign ? false : undefined
    // Now, not when a handler asks for it: memory that is used briefly by ten thousand requests is not given back.
    this.#strings.share(request)
    const socket = new Socket(this, request, raw, ...this.#engine.batch.latest)
    if (head.length > 0) socket.head = head
    this.#sockets.add(socket)
    return true
  }

  /** Whether a route is there for this path. */
  serves(path: string): boolean {
    return this.#engine.ask((core) => core.serves(path), false)
  }

  /** What is served and nearest to a path that is not. */
  nearest(path: string): string | undefined {
    return this.#engine.ask((core) => core.nearest(path), undefined)
  }

  /** Nobody has taken an upgrade request for this path, which those who watch the server learn. */
  unclaimed(path: string): void {
    if (!this.isBroken) this.input((core) => core.unclaimed(path))
  }

  /** Bytes came. They are handled together with what else comes in this round of Node's loop. */
  receive(socket: Socket, chunk: Buffer): void {
    if (!this.isBroken) this.#rounds.received(socket, chunk)
  }

  /** The socket has room again. */
  drained({ slot, generation }: Socket): void {
    this.input((core) => core.drained(slot, generation))
  }

  /** The transport is gone; `isKnown`: the engine still counts on it. */
  gone(socket: Socket, isKnown: boolean): void {
    const { slot, generation } = socket
    const rest = socket.release()
    this.pinged.delete(socket)
    if (isKnown && rest) this.#read(socket, rest)
    if (isKnown) this.input((core) => core.disconnected(slot, generation))
    this.#sockets.left()
    this.observer?.gone(socket)
  }

  /**
   * No new connections, a close frame to all, an end to waiting after `grace` ms; done when all sockets are closed.
   * Throws a `RangeError` for a code that must not be sent.
   */
  shutdown(code: number, reason: string, grace?: number): Promise<void> {
    const patience = grace ?? this.#engine.ask((core) => core.shutdown_grace(), 0)
    const wrong = this.#engine.tell((core) => core.shutdown(code, reason, patience), undefined)
    if (wrong !== undefined) throw new RangeError(wrong)
    this.#isClosing = true
    this.#rounds.turn()
    return this.#sockets.idle()
  }

  /** Gives everything up at once: no timer and no connection to another server remains. */
  dispose(): void {
    if (this.#isOver) return
    this.#stop()
    this.#engine.fail(new Error('the server is closed'))
    for (const socket of this.#sockets) socket.terminate()
    this.#sockets.giveUp()
  }

  /** Keeps the sockets from being destroyed before this tick is over; `below` finds what carries a TLS socket. */
  keepSockets(below: (raw: Duplex) => Duplex | undefined): void {
    for (const socket of this.#sockets) socket.keep(below(socket.raw))
  }

  /** Publishes a value on a feed. Throws if JSON does not have it. */
  publish(feed: string, value: unknown): void {
    const text = JSON.stringify(value)
    if (text === undefined) throw new TypeError(`publish: expected a value that JSON has, got ${shapeOf(value)}`)
    const wrong = this.input((core) => core.publish(feed, text))
    if (wrong !== undefined) throw new Error(wrong)
  }

  /**
   * Answers a plain HTTP request for a path of ours: the status, names and values of the headers in turn, and the body; `file`,
   * the headers and its path; or what has to be done with the clock, and for `advance` the ms.
   */
  request(
    method: string,
    url: string,
    address: string,
    headers: string[],
    body: Uint8Array,
  ): string[] | undefined {
    if (this.isBroken) return undefined
    const text = [method, '1.1', url, address, ...headers].join('\n')
    const length = this.#engine.copy((memory) => memory.putRequest(text, body))
    return this.input((core) => core.request(length, body.byteLength, this.#clock.isManual))
  }

  /** Why a server of its own does not answer a plain request, in the form of {@link request}: see `Switchboard.refuse_plain`. */
  refusePlain(method: string, url: string, headers: string[], isExempt: boolean, isLast: boolean): string[] | undefined {
    if (this.isBroken) return ['503', '']
    const text = [method, '1.1', url, '', ...headers].join('\n')
    const length = this.#engine.copy((memory) => memory.putRequest(text, new Uint8Array()))
    return this.input((core) => core.refuse_plain(length, isExempt, isLast))
  }

  /** How much there is; nothing any more when the engine failed. */
  stats(): Stats {
    const stats = this.ask(statsOf, statsOf())
    // Beside what the engine's codecs hold, what Node keeps.
    for (const socket of this.#sockets) {
      stats.clientBytes.undecoded += socket.unreadBytes
      stats.clientBytes.queued += socket.queuedBytes
    }
    return stats
  }

  /** Sends a message to a client; `undefined` is none. */
  send({ slot, generation }: ConnectionId, message: Payload | undefined): void {
    this.inputWith(message, (core, kind, length) => core.send(slot, generation, kind, length))
  }

  /** Sends a message in the name of a client, to members of `rooms` or to everyone on its handler. */
  broadcast({ slot, generation }: ConnectionId, message: Payload | undefined, rooms: string[] | undefined, includeSelf: boolean): void {
    this.inputWith(message, (core, kind, length) => core.broadcast(slot, generation, kind, length, rooms, includeSelf))
  }

  /** Sends a message in the name of a client, to all its rooms. */
  broadcastAllRooms({ slot, generation }: ConnectionId, message: Payload | undefined, includeSelf: boolean): void {
    this.inputWith(message, (core, kind, length) => core.broadcast_all_rooms(slot, generation, kind, length, includeSelf))
  }

  /** Tells the engine something. What it makes of it is done with the next turn, soon. Its errors are given back. */
  input<T>(call: (core: Core) => T): T | undefined {
    const result = this.#engine.tell(call, undefined)
    this.#rounds.soon()
    return result
  }

  /** As {@link input}, with a message, of `kind` and so many bytes, that the engine finds; with `undefined` nothing happens. */
  inputWith<T>(
    message: Payload | undefined,
    call: (core: Core, kind: number, length: number) => T,
  ): T | undefined {
    if (message === undefined || this.isBroken) return undefined
    const length = this.#engine.memory.put(message)
    return this.input((core) => call(core, kindOf(message), length))
  }

  /** A message came on a connection to another server. */
  receivedUpstream(upstream: number, kind: number, message: Buffer): void {
    const length = this.#engine.copy((memory) => memory.put(message))
    this.input((core) => core.upstream_message(upstream, kind, length))
  }

  /** Tells the engine that a hook is done, and said nothing. */
  done(call: number): void {
    this.answer((core) => core.answer_done(call))
  }

  /** Tells the engine what a hook said. The hook that may be next runs at once. */
  answer(call: (core: Core) => void): void {
    this.#engine.tell(call, undefined)
    this.#rounds.answered()
  }

  /** As {@link answer}, with a message; `undefined` is none. */
  answerWith(message: Payload | undefined, call: (core: Core, kind: number, length: number) => void): void {
    if (this.isBroken) return
    const kind = message === undefined ? PayloadKind.Nothing : kindOf(message)
    const length = message === undefined ? 0 : this.#engine.memory.put(message)
    this.answer((core) => call(core, kind, length))
  }

  /** Asks the engine something; `otherwise` when it cannot answer any more. */
  ask<T>(question: (core: Core) => T, otherwise: T): T {
    return this.#engine.ask(question, otherwise)
  }

  /** A file for a feed was read. */
  fileRead(feed: string, file: string, content: Buffer): void {
    const length = this.#engine.copy((memory) => memory.put(content))
    this.input((core) => core.file_read(feed, file, length))
  }

  /** A part of a file was read. */
  filePartRead(read: number, part: Buffer, isLast: boolean): void {
    const length = this.#engine.copy((memory) => memory.put(part))
    this.input((core) => core.file_part(read, length, isLast))
  }

  /** What is done in a turn. */
  readonly #work: Work = {
    step: (write, beginsRound, isUnfinished) => {
      if (!this.#engine.tell((core) => core.turn(write, beginsRound, isUnfinished), false)) return undefined
      const calls = this.#engine.batch.read(this.#effects)
      this.#effects.runDeferred()
      return calls
    },
    run: (call) => this.#run(call),
    fail: (error) => this.#engine.fail(error),
    finish: () => this.#finish(),
    read: (socket, chunk) => this.#read(socket, chunk),
  }

  #run(call: Call): boolean {
    const socket = this.#sockets.find(call.slot, call.generation)
    return socket !== undefined && this.#hooks.run(call, socket)
  }

  #finish(): boolean {
    this.#engine.forgetTime()
    this.observer?.turned()
    if (this.isBroken) {
      this.#break()
      return false
    }
    if (this.#isClosing && this.stats().connections === 0) {
      this.dispose()
      return false
    }
    const { size } = this.#engine.memory
    if (size > LARGE && !this.#isClosing && this.#sockets.isIdle && this.ask((core) => core.is_empty(), false)) {
      this.#owner.large(size)
      if (this.#isOver) return false
    }
    this.#alarm.set(this.#engine.batch.deadline)
    // A wide broadcast goes out in stretches, with a round of Node's loop between: others are served too.
    return this.#engine.batch.isMore
  }

  #read(socket: Socket, chunk: Buffer): void {
    const { slot, generation } = socket
    if (this.pinged.size > 0) this.pinged.delete(socket)
    this.observer?.received(socket, chunk)
    const length = this.#engine.copy((memory) => memory.put(chunk))
    this.#engine.tell((core) => core.receive(slot, generation, length), undefined)
  }

  /** Clients find the server where they came in. Without TCP there is no port. */
  #tellPort(port: number | undefined): void {
    if (port !== undefined) this.#engine.ask((core) => core.set_port(port), undefined)
  }

  /** The engine failed where it must not: its answers cannot be trusted any more. */
  #break(): void {
    if (this.#isOver) return
    this.#stop()
    let closed = 0
    for (const socket of this.#sockets) {
      if (!socket.interrupt(RESTART)) continue
      closed++
      this.#hooks.interrupted(socket, RESTART)
    }
    this.#owner.broken(this.#engine.failure, closed)
  }

  #stop(): void {
    this.#isOver = true
    this.#rounds.stop()
    this.#alarm.stop()
    this.#dialler.terminateAll()
  }
}
