/** The engine's host on Node: sockets, clock, timer, and the order of it all. */

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { resolve as resolvePath } from 'node:path'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers'

import { Strings } from '../accept/strings.js'
import { Hooks } from '../callbacks/hooks.js'
import { type Encoded, kindOf } from '../callbacks/payload.js'
import type { Setup } from '../config/setup.js'
import { shapeOf } from '../connection/arguments.js'
import type { WebSocketConnection } from '../connection/connection.js'
import { Socket } from '../connection/socket.js'
import { Sockets } from '../connection/sockets.js'
import { type Dial, Dialler } from '../upstream/dial.js'
import type { Accept, Actor, Call, ConnectionId } from './actor.js'
import { Alarm } from './alarm.js'
import { Claim, PayloadKind } from './contract.js'
import { Engine } from './engine.js'
import { describe, type Log } from './logger.js'
import { MAX_MESSAGE, type Memory } from './memory.js'
import { type Stats, statsOf } from './stats.js'
import type { Core } from './wasm.js'

/** So many received bytes do not wait for more. */
const MUCH = 256 * 1024

/**
 * How long in ms a round of Node's loop may be ours. What is left waits for the next one, and whoever sends more is not
 * read from meanwhile: others are served too, however much some clients send.
 */
const ROUND = 8

/** So many bytes are read in any case: who sends little does not wait for those who send much. */
const LITTLE = 4096

/** What clients hear when the engine failed: they may come again at once. */
const RESTART = { code: 1012, reason: 'the server was restarted' }

/**
 * All connections of one engine.
 *
 * A message takes this way: Node shows bytes to {@link Socket}, which gives them to {@link Host.receive}; they are
 * copied to where the {@link Engine} finds them, and the engine is told. At the end of the round of Node's loop a turn
 * asks the engine what is to be done. The {@link Batch} that it leaves is read: sockets are accepted, written to and
 * closed, and {@link Hooks} runs the user's functions, whose calls on a {@link Connection} come back here as further
 * inputs, until a turn finds nothing more to do.
 */
export class Host implements Actor {
  readonly #engine: Engine
  readonly log: Log
  /** Where relative paths of files begin. */
  readonly #root: string
  readonly #countsAddresses: boolean
  readonly #needsPort: boolean
  readonly #strings = new Strings()
  readonly #hooks: Hooks
  readonly #dialler: Dialler
  readonly #sockets = new Sockets()
  readonly #onBroken: (said: string, closed: number) => void
  #isTurning = false
  /** A turn is due at the end of this round of Node's loop. */
  #isDue = false
  /** The next turn is the first of a round. */
  #isFirst = true
  /** The round before had no time for all hooks. */
  #isUnfinished = false
  /** Hooks that answered may have others behind them. */
  #isAnswered = false
  /** No connections are taken any more; when the last one is gone, nothing happens any more. */
  #isClosing = false
  #isOver = false
  /** Bytes received since the last turn. */
  #received = 0
  /** When this round has been ours for long enough, in ms of `performance.now()`; `undefined`: it has not begun. */
  #enough: number | undefined
  /** Those who sent more than this round had time for. */
  #held: Socket[] = []
  #deferred: (() => void)[] = []
  readonly #alarm = new Alarm(() => {
    this.#engine.tell((core) => core.timeout(), undefined)
    this.turn()
  })

  /**
   * Throws what is wrong with the configuration. `onBroken` is told what the engine said when it failed, and how many
   * connections that cost; then everything here does nothing any more.
   */
  constructor(setup: Setup, root: string, log: Log, onBroken: (said: string, closed: number) => void) {
    this.#engine = new Engine(setup.data, randomBytes(32))
    this.log = log
    this.#root = root
    this.#onBroken = onBroken
    this.#countsAddresses = this.#engine.ask((core) => core.counts_addresses(), false)
    this.#needsPort = this.#engine.ask((core) => core.needs_port(), false)
    this.#hooks = new Hooks(this, setup.routes)
    this.#dialler = new Dialler(this)
  }

  /** Begins what begins by itself. */
  start(): void {
    this.#engine.tell((core) => core.timeout(), undefined)
    this.turn()
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
    // Who forwards an upgrade may have taken its time: of a socket that is gone no `close` would come any more.
    if (raw.destroyed || !raw.writable) return false
    const { method = 'GET', httpVersion, url = '', rawHeaders } = request
    // Asking for the address is a system call.
    const address = this.#countsAddresses ? (request.socket?.remoteAddress ?? '') : ''
    const text = `${method}\n${httpVersion}\n${url}\n${address}\n${rawHeaders.join('\n')}`
    const length = this.#copied((memory) => memory.putRequest(text))
    if (this.#needsPort) this.#tellPort(request.socket?.localPort)
    const claim = this.#engine.tell<number>((core) => core.upgrade(length), Claim.Foreign)
    this.#soon()
    if (claim !== Claim.Ours) return claim === Claim.Foreign ? false : undefined
    // Now, not when a handler asks for it: memory that is used for a moment ten thousand times does not come back.
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

  /** Bytes came. What becomes of them is done together with what else comes in this round of Node's loop. */
  receive(socket: Socket, chunk: Buffer): void {
    if (this.isBroken) return
    if (socket.isHeld || (chunk.length > LITTLE && this.#isEnough())) {
      if (socket.hold(chunk)) this.#held.push(socket)
      return this.#soon()
    }
    this.#receive(socket, chunk)
    if (this.#received < MUCH) this.#soon()
    else this.#take('always')
  }

  #receive({ slot, generation }: Socket, chunk: Buffer): void {
    const length = this.#copied((memory) => memory.put(chunk))
    this.#engine.tell((core) => core.receive(slot, generation, length), undefined)
    this.#received += chunk.length
  }

  /** The socket has room again. */
  drained({ slot, generation }: Socket): void {
    this.input((core) => core.drained(slot, generation))
  }

  /** The transport is gone; `isKnown`: the engine still counts on it. */
  gone(socket: Socket, isKnown: boolean): void {
    const { slot, generation } = socket
    const rest = socket.release()
    if (isKnown && rest) this.#receive(socket, rest)
    if (isKnown) this.input((core) => core.disconnected(slot, generation))
    this.#sockets.left()
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
    this.turn()
    return this.#sockets.idle()
  }

  /** Gives everything up at once: no timer and no connection to another server remains. */
  dispose(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#engine.fail(new Error('the server is closed'))
    this.#alarm.stop()
    this.#dialler.terminateAll()
    for (const socket of this.#sockets) socket.terminate()
    this.#sockets.giveUp()
  }

  /** Keeps the sockets from being destroyed before this tick is over; `below` finds what carries a TLS socket. */
  keepSockets(below: (raw: Duplex) => Duplex | undefined): void {
    for (const socket of this.#sockets) socket.keep(below(socket.raw))
  }

  /** Puts a value on a feed. Throws when it is no JSON. */
  publish(feed: string, value: unknown): void {
    const text = JSON.stringify(value)
    if (text === undefined) throw new TypeError(`publish: expected a value that JSON has, got ${shapeOf(value)}`)
    const wrong = this.input((core) => core.publish(feed, text))
    if (wrong !== undefined) throw new Error(wrong)
  }

  /** Answers a plain HTTP request for a path of ours. */
  request(
    method: string,
    url: string,
    headers: string[],
    body: Uint8Array,
  ): { status: number; headers: string[]; body: string } | undefined {
    if (this.isBroken) return undefined
    const text = [method, '1.1', url, '', ...headers].join('\n')
    const length = this.#copied((memory) => memory.putRequest(text, body))
    const parts = this.input((core) => core.request(length, body.byteLength))
    if (parts === undefined) return undefined
    return { status: Number(parts[0]), headers: parts.slice(1, -1), body: parts.at(-1)! }
  }

  /** The number of the route with this pattern, as it was written or with one of its prefixes. */
  routeOf(pattern: string): number | undefined {
    return this.ask((core) => core.route(pattern), undefined)
  }

  /** Sends a message to everyone on a route or in its room; to how many. */
  sendTo(route: number, room: string | undefined, message: Encoded): number {
    return this.inputWith(message, (core, kind, length) => core.route_send(route, room, kind, length)) ?? 0
  }

  /**
   * Starts the closing handshake with everyone on a route or in its room; with how many. Throws a `RangeError` for a code
   * that must not be sent.
   */
  closeAll(route: number, room: string | undefined, code: number, reason: string): number {
    const count = this.countOf(route, room)
    const wrong = this.input((core) => core.route_close(route, room, code, reason))
    if (wrong !== undefined) throw new RangeError(wrong)
    return count
  }

  /** How many are open on a route or in its room. */
  countOf(route: number, room: string | undefined): number {
    return this.ask((core) => core.route_count(route, room), 0)
  }

  /** The rooms of a route that have members. */
  roomsOf(route: number): string[] {
    return this.ask((core) => core.route_rooms(route), [])
  }

  /** Who is open on a route or in its room, as handlers see them. */
  connectionsOf(route: number, room: string | undefined): WebSocketConnection[] {
    return this.#connections(route, this.ask((core) => core.route_connections(route, room), undefined))
  }

  /** Who is open on a route under this id. */
  connectionOf(route: number, id: string): WebSocketConnection | undefined {
    return this.#connections(route, this.ask((core) => core.route_connection(route, id), undefined))[0]
  }

  #connections(route: number, ids: Uint32Array | undefined = new Uint32Array()): WebSocketConnection[] {
    const connections: WebSocketConnection[] = []
    for (let index = 0; index < ids.length; index += 2) {
      const socket = this.#sockets.find(ids[index]!, ids[index + 1]!)
      // One that is accepted with the next turn has no name yet.
      if (!socket?.name) continue
      socket.route = route
      connections.push(socket.connection)
    }
    return connections
  }

  /** Has a route's dialect do something, in the name of a client if there is one. Throws what it does not take. */
  dialectCommand(route: number, id: ConnectionId | undefined, name: string, payload: unknown): void {
    const text = JSON.stringify(payload) ?? 'null'
    const wrong = this.input((core) => core.dialect_command(route, id?.slot, id?.generation ?? 0, name, text))
    if (wrong !== undefined) throw new Error(wrong)
  }

  /** All patterns that are served, with their prefixes. */
  patterns(): string[] {
    return this.ask((core) => core.patterns(), [])
  }

  /** How much there is; nothing any more when the engine failed. */
  stats(): Stats {
    const stats = this.ask(statsOf, statsOf())
    // Beside what waits in the engine's outboxes, what Node keeps of it.
    for (const socket of this.#sockets) stats.clientBytes.queued += socket.queuedBytes
    return stats
  }

  /** Sends a message to a client; `undefined` is none. */
  send({ slot, generation }: ConnectionId, message: Encoded | undefined): void {
    this.inputWith(message, (core, kind, length) => core.send(slot, generation, kind, length))
  }

  /** Sends a message in the name of a client, to members of `rooms` or to everyone on its handler. */
  broadcast({ slot, generation }: ConnectionId, message: Encoded | undefined, rooms: string[] | undefined, includeSelf: boolean): void {
    this.inputWith(message, (core, kind, length) => core.broadcast(slot, generation, kind, length, rooms, includeSelf))
  }

  /** Sends a message in the name of a client, to all its rooms. */
  broadcastAllRooms({ slot, generation }: ConnectionId, message: Encoded | undefined, includeSelf: boolean): void {
    this.inputWith(message, (core, kind, length) => core.broadcast_all_rooms(slot, generation, kind, length, includeSelf))
  }

  /** Tells the engine something. What it makes of it is done with the next turn, soon. Its errors are given back. */
  input<T>(call: (core: Core) => T): T | undefined {
    const result = this.#engine.tell(call, undefined)
    this.#soon()
    return result
  }

  /** As {@link input}, with a message, of `kind` and so many bytes, that the engine finds; with `undefined` nothing happens. */
  inputWith<T>(
    message: Encoded | undefined,
    call: (core: Core, kind: number, length: number) => T,
  ): T | undefined {
    if (message === undefined || this.isBroken) return undefined
    const length = this.#engine.memory.put(message)
    return this.input((core) => call(core, kindOf(message), length))
  }

  /** A message came on a connection to another server. */
  receivedUpstream(upstream: number, kind: number, message: Buffer): void {
    const length = this.#copied((memory) => memory.put(message))
    this.input((core) => core.upstream_message(upstream, kind, length))
  }

  /** Tells the engine what a hook said. The hook that may be next runs at once. */
  answer(call: (core: Core) => void): void {
    this.#engine.tell(call, undefined)
    this.#answered()
  }

  /** As {@link answer}, with a message; `undefined` is none. */
  answerWith(message: Encoded | undefined, call: (core: Core, kind: number, length: number) => void): void {
    if (this.isBroken) return
    const kind = message === undefined ? PayloadKind.Nothing : kindOf(message)
    const length = message === undefined ? 0 : this.#engine.memory.put(message)
    this.answer((core) => call(core, kind, length))
  }

  /** Asks the engine something; `otherwise` when it cannot answer any more. */
  ask<T>(question: (core: Core) => T, otherwise: T): T {
    return this.#engine.ask(question, otherwise)
  }

  /** Does what the engine asks for until it asks for nothing more, however long that takes. */
  turn(): void {
    this.#take('always', Number.POSITIVE_INFINITY)
  }

  /**
   * Does what the engine asks for; gives whether hooks that were started are to be awaited. Sockets write their share
   * with `always`, with `unless-awaited` only if no hook is.
   */
  #take(write: 'always' | 'unless-awaited' | 'never', enough?: number): boolean {
    if (this.#isTurning || this.#isOver) return false
    this.#isTurning = true
    this.#received = 0
    let isAwaited = false
    try {
      for (;;) {
        const calls = this.#batch(write === 'always' || (write === 'unless-awaited' && !isAwaited))
        if (calls === undefined) break
        for (const call of calls) {
          const socket = this.#sockets.find(call.slot, call.generation)
          if (socket && this.#hooks.run(call, socket)) isAwaited = true
        }
        if (calls.length > 0 && this.#isEnough(enough)) {
          this.#isUnfinished = true
          break
        }
      }
    } catch (error) {
      this.#engine.fail(error)
    } finally {
      this.#isTurning = false
      this.#engine.forgetTime()
    }
    if (this.isBroken) {
      this.#break()
      return false
    }
    if (this.#isClosing && this.stats().connections === 0) {
      this.dispose()
      return false
    }
    this.#alarm.set(this.#engine.batch.deadline)
    // A wide broadcast goes out in stretches, with a round of Node's loop between: others are served too.
    if (this.#isUnfinished || this.#engine.batch.isMore) this.#soon()
    return isAwaited
  }

  /** Does what the engine asks for next, and gives the calls to run; `undefined` when there is nothing. */
  #batch(flush: boolean): Call[] | undefined {
    const beginsRound = this.#isFirst
    const beforeCalls = this.#isUnfinished
    this.#isFirst = false
    this.#isUnfinished = false
    if (!this.#engine.tell((core) => core.turn(flush, beginsRound, beforeCalls), false)) return undefined
    const calls = this.#engine.batch.read(this)
    const deferred = this.#deferred
    if (deferred.length > 0) {
      this.#deferred = []
      for (const run of deferred) run()
    }
    return calls
  }

  // What a batch asks for. What would tell the engine something, or run code of the user's, is deferred until it is read.

  accept(accept: Accept): void {
    const socket = this.#sockets.find(accept.slot, accept.generation)
    const head = socket?.accept(accept)
    if (socket && head) this.#deferred.push(() => this.receive(socket, head))
  }

  reject(slot: number, generation: number, response: Buffer): void {
    this.#sockets.find(slot, generation)?.reject(response)
    this.#sockets.remove(slot, generation)
  }

  pause(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.pause()
  }

  resume(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.resume()
  }

  write(slot: number, generation: number, frames: Buffer | Buffer[]): void {
    const socket = this.#sockets.find(slot, generation)
    if (socket && !socket.write(frames)) {
      this.#deferred.push(() => this.input((core) => core.blocked(slot, generation)))
    }
  }

  end(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.end()
  }

  terminate(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.terminate()
  }

  removed(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.forgotten()
    this.#sockets.remove(slot, generation)
  }

  dial(upstream: number, dial: Dial): void {
    this.#dialler.dial(upstream, dial)
  }

  sendUpstream(upstream: number, message: string | Buffer): void {
    this.#dialler.send(upstream, message)
  }

  hangUp(upstream: number, code: number | undefined, reason: string): void {
    this.#dialler.close(upstream, code, reason)
  }

  pauseUpstream(upstream: number): void {
    this.#dialler.pause(upstream)
  }

  resumeUpstream(upstream: number): void {
    this.#dialler.resume(upstream)
  }

  terminateUpstream(upstream: number): void {
    this.#dialler.terminate(upstream)
  }

  cancelCall(call: number): void {
    this.#hooks.cancel(call)
  }

  logged(level: number, text: string): void {
    this.#deferred.push(() => this.log.fromEngine(level, text))
  }

  read(feed: string, file: string): void {
    const failed = (error: unknown) => this.input((core) => core.file_failed(feed, describe(error)))
    readFile(resolvePath(this.#root, file))
      .then((content) => {
        if (content.length > MAX_MESSAGE) throw new RangeError(`${file} has ${content.length} bytes; the most is ${MAX_MESSAGE}`)
        const length = this.#copied((memory) => memory.put(content))
        this.input((core) => core.file_read(feed, length))
      })
      .catch(failed)
  }

  /** Clients find the server where they came in. Without TCP there is no port. */
  #tellPort(port: number | undefined): void {
    if (port !== undefined) this.#engine.ask((core) => core.set_port(port), undefined)
  }

  /** Copies what came from outside. Nobody there can be told that there is no memory left: the engine is given up. */
  #copied(copy: (memory: Memory) => number): number {
    try {
      return copy(this.#engine.memory)
    } catch (error) {
      this.#engine.fail(error)
      return 0
    }
  }

  #answered(): void {
    if (this.#isTurning || this.#isAnswered || this.#isOver) return
    queueMicrotask(() => {
      this.#isAnswered = false
      if (!this.#isEnough()) this.#take('never')
    })
    this.#isAnswered = true
    this.#soon()
  }

  /** All that this round of Node's loop brings shares one turn, and so one write per socket. */
  #soon(): void {
    if (this.#isTurning || this.#isDue || this.#isOver) return
    // Where the stack ends in this call, another one can still make it.
    setImmediate(this.#onDue)
    this.#isDue = true
  }

  readonly #onDue = (): void => {
    this.#isDue = false
    this.#isFirst = true
    this.#enough = undefined
    // What hooks send that are done within this tick goes out with the rest.
    if (this.#take('unless-awaited')) queueMicrotask(() => process.nextTick(() => this.#take('always')))
    if (this.#held.length > 0) this.#readHeld()
  }

  /** Reads from those that had to wait, one after another, as long as there is time. */
  #readHeld(): void {
    let count = 0
    while (count < this.#held.length && !this.#isEnough() && !this.isBroken) {
      const socket = this.#held[count++]!
      const chunk = socket.release()
      if (chunk) this.#receive(socket, chunk)
    }
    this.#held.splice(0, count)
    this.#soon()
  }

  /** Whether this round has been ours for long enough; with the first question it begins. */
  #isEnough(enough = this.#enough): boolean {
    const now = performance.now()
    if (enough !== undefined) return now > enough
    this.#enough = now + ROUND
    return false
  }

  /** The engine failed where it must not: nothing it says can be trusted any more. */
  #break(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#alarm.stop()
    this.#dialler.terminateAll()
    let closed = 0
    for (const socket of this.#sockets) {
      if (!socket.interrupt(RESTART)) continue
      closed++
      this.#hooks.interrupted(socket, RESTART)
    }
    this.#onBroken(this.#engine.failure, closed)
  }
}
