/** The engine's host on Node: sockets, clock, timer, and the order of it all. */

import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { readFile } from 'node:fs/promises'
import { resolve as resolvePath } from 'node:path'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers'

import { Strings } from '../accept/strings.js'
import { Hooks } from '../callbacks/hooks.js'
import { type Encoded, kindOf } from '../callbacks/payload.js'
import type { Setup } from '../config/setup.js'
import { shapeOf } from '../connection/arguments.js'
import { Socket } from '../connection/socket.js'
import { Sockets } from '../connection/sockets.js'
import { type Dial, Dialler } from '../upstream/dial.js'
import type { Accept, Actor, ConnectionId } from './actor.js'
import { Alarm } from './alarm.js'
import { Batch } from './batch.js'
import { describe, type Log } from './logger.js'
import { type Stats, statsOf } from './stats.js'
import { type Core, createCore, isTrap, lastPanic, Memory } from './wasm.js'

/** So many received bytes do not wait for more. */
const MUCH = 256 * 1024

/** What the engine says of an upgrade. */
const OURS = 1
const FOREIGN = 2

/** All connections of one server. */
export class Host implements Actor {
  readonly #core: Core
  readonly log: Log
  /** Where relative paths of files begin. */
  readonly #root: string
  readonly #memory: Memory
  readonly #batch: Batch
  readonly #countsAddresses: boolean
  readonly #strings = new Strings()
  readonly #hooks: Hooks
  readonly #dialler: Dialler
  readonly #sockets = new Sockets()
  #isTurning = false
  /** A turn is due at the end of this round of Node's loop. */
  #isDue = false
  /** The next turn is the first of a round. */
  #isFirst = true
  /** Hooks that answered may have others behind them. */
  #isAnswered = false
  #isClockSet = false
  /** Bytes received since the last turn. */
  #received = 0
  #isBroken = false
  #deferred: (() => void)[] = []
  readonly #alarm = new Alarm(() => {
    this.#tell((core) => core.timeout())
    this.turn()
  })

  /** Throws what is wrong with the configuration. */
  constructor(setup: Setup, root: string, log: Log) {
    this.#core = createCore(setup.data, randomBytes(32))
    this.log = log
    this.#root = root
    this.#memory = new Memory(this.#core)
    this.#batch = new Batch(this.#core, this.#memory)
    this.#countsAddresses = this.#core.counts_addresses()
    this.#hooks = new Hooks(this, setup.routes)
    this.#dialler = new Dialler(this)
    // What begins by itself begins now.
    this.#tell((core) => core.timeout())
    this.turn()
    for (const { start } of setup.routes) if (start) void this.#start(start)
  }

  /** Whether the engine failed; nothing works any more. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /**
   * Whether the request is ours; then it is answered together with what else this round of Node's loop brings.
   * `undefined`: it cannot be understood.
   */
  upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): boolean | undefined {
    const { method = 'GET', httpVersion, url = '', rawHeaders } = request
    // Asking for the address is a system call.
    const address = this.#countsAddresses ? (request.socket?.remoteAddress ?? '') : ''
    const text = `${method}\n${httpVersion}\n${url}\n${address}\n${rawHeaders.join('\n')}`
    let claim = FOREIGN
    this.#tell((core) => (claim = core.upgrade(this.#memory.putRequest(text))))
    if (claim !== OURS) return claim === FOREIGN ? false : undefined
    // Now, not when a handler asks for it: memory that is used for a moment ten thousand times does not come back.
    this.#strings.share(request)
    const socket = new Socket(this, request, raw, ...this.#batch.latest)
    if (head.length > 0) socket.head = head
    this.#sockets.add(socket)
    this.#soon()
    return true
  }

  /** Bytes came. What becomes of them is done together with what else comes in this round of Node's loop. */
  receive(socket: Socket, chunk: Buffer): void {
    if (this.#isBroken) return
    try {
      this.#setClock()
      this.#core.receive(socket.slot, socket.generation, this.#memory.putBytes(chunk))
    } catch (error) {
      return this.#break(error)
    }
    this.#received += chunk.length
    if (this.#received < MUCH) this.#soon()
    else this.turn()
  }

  /** The socket has room again. */
  drained(socket: Socket): void {
    this.input((core) => core.drained(socket.slot, socket.generation))
  }

  /** The socket is closed. */
  disconnected(socket: Socket): void {
    this.input((core) => core.disconnected(socket.slot, socket.generation))
    this.#sockets.left()
  }

  /** No new connections, a close frame to all, an end to waiting after `grace` ms; done when all sockets are closed. */
  shutdown(code: number, reason: string, grace = this.#core.shutdown_grace()): Promise<void> {
    this.#tell((core) => core.shutdown(code, reason, grace))
    this.turn()
    return this.#sockets.idle()
  }

  /** Keeps the sockets from being destroyed before this tick is over; `below` finds what carries a TLS socket. */
  keepSockets(below: (raw: Duplex) => Duplex | undefined): void {
    for (const socket of this.#sockets) socket.keep(below(socket.raw))
  }

  /** Puts a value on a feed. */
  publish(feed: string, value: unknown): void {
    const text = JSON.stringify(value)
    if (text === undefined) throw new TypeError(`publish: expected a value that JSON has, got ${shapeOf(value)}`)
    this.input((core) => core.publish(feed, text))
  }

  /** Answers a plain HTTP request for a path of ours. */
  request(
    method: string,
    url: string,
    headers: string[],
    body: Uint8Array,
  ): { status: number; headers: string[]; body: string } | undefined {
    const text = [method, '1.1', url, '', ...headers].join('\n')
    let parts: string[] | undefined
    this.#tell((core) => {
      parts = core.request(this.#memory.putRequest(text, body), body.byteLength)
    })
    this.turn()
    if (parts === undefined) return undefined
    return { status: Number(parts[0]), headers: parts.slice(1, -1), body: parts.at(-1)! }
  }

  /** Tells the dialect of the route with this pattern to do something that is not for one connection. Throws if the dialect refuses. */
  command(pattern: string, name: string, payload: unknown): void {
    if (this.#isBroken) return
    const route = this.#core.route(pattern)
    if (route === undefined) throw new Error(`there is no route ${pattern}`)
    this.dialectCommand(route, undefined, name, payload)
  }

  /** As {@link command}, in the name of a client if there is one. */
  dialectCommand(route: number, id: ConnectionId | undefined, name: string, payload: unknown): void {
    const text = JSON.stringify(payload) ?? 'null'
    this.input((core) => core.dialect_command(route, id?.slot, id?.generation ?? 0, name, text))
  }

  /** All patterns that are served, with their prefixes. */
  patterns(): string[] {
    return this.#core.patterns()
  }

  /** How much there is; nothing any more when the engine failed. */
  stats(): Stats {
    return this.ask(statsOf, statsOf())
  }

  /** Copies a payload to where the engine finds it. */
  put(payload: string | Uint8Array): number {
    return typeof payload === 'string' ? this.#memory.putText(payload) : this.#memory.putBytes(payload)
  }

  /** Sends a message to a client; `undefined` is none. */
  send({ slot, generation }: ConnectionId, message: Encoded | undefined): void {
    if (message === undefined) return
    this.input((core) => core.send(slot, generation, kindOf(message), this.put(message)))
  }

  /** Sends a message in the name of a client, to members of `rooms` or to everyone on its handler. */
  broadcast({ slot, generation }: ConnectionId, message: Encoded | undefined, rooms: string[] | undefined, includeSelf: boolean): void {
    if (message === undefined) return
    this.input((core) => core.broadcast(slot, generation, kindOf(message), this.put(message), rooms, includeSelf))
  }

  /** Sends a message in the name of a client, to all its rooms. */
  broadcastAllRooms({ slot, generation }: ConnectionId, message: Encoded | undefined, includeSelf: boolean): void {
    if (message === undefined) return
    this.input((core) => core.broadcast_all_rooms(slot, generation, kindOf(message), this.put(message), includeSelf))
  }

  /** Tells the engine something. What it makes of it is done with the next turn, soon. */
  input(tell: (core: Core) => void): void {
    this.#tell(tell)
    this.#soon()
  }

  /** Tells the engine what a hook said. The hook that may be next runs at once. */
  answer(tell: (core: Core) => void): void {
    this.#tell(tell)
    if (this.#isTurning || this.#isAnswered || this.#isBroken) return
    this.#isAnswered = true
    queueMicrotask(() => {
      this.#isAnswered = false
      this.#take('never')
    })
    this.#soon()
  }

  /** Asks the engine something; `otherwise` when it cannot answer any more. */
  ask<T>(question: (core: Core) => T, otherwise: T): T {
    return this.#isBroken ? otherwise : question(this.#core)
  }

  /** Does what the engine asks for until it asks for nothing more. */
  turn(): void {
    this.#take('always')
  }

  /**
   * Does what the engine asks for; gives whether hooks that were started are to be awaited. Sockets write their share
   * with `always`, with `unless-awaited` only if no hook is.
   */
  #take(write: 'always' | 'unless-awaited' | 'never'): boolean {
    if (this.#isTurning || this.#isBroken) return false
    this.#isTurning = true
    this.#received = 0
    let isAwaited = false
    try {
      for (;;) {
        const calls = this.#batch.take(this, write === 'always' || (write === 'unless-awaited' && !isAwaited), this.#isFirst)
        this.#isFirst = false
        if (calls === undefined) break
        while (this.#deferred.length > 0) this.#deferred.shift()!()
        for (const call of calls) {
          const socket = this.#sockets.find(call.slot, call.generation)
          if (socket && this.#hooks.run(call, socket)) isAwaited = true
        }
      }
    } catch (error) {
      this.#break(error)
    } finally {
      this.#isTurning = false
      this.#isClockSet = false
    }
    if (this.#isBroken) return false
    this.#alarm.set(this.#batch.deadline)
    // A wide broadcast goes out in stretches, with a round of Node's loop between: others are served too.
    if (this.#batch.isMore) this.#soon()
    return isAwaited
  }

  // What a batch asks for. The engine's memory is being read meanwhile, so what would change it is deferred.

  accept(accept: Accept): void {
    const socket = this.#sockets.find(accept.slot, accept.generation)
    const head = socket?.accept(accept)
    if (socket && head) this.#deferred.push(() => this.receive(socket, head))
  }

  reject(slot: number, generation: number, response: Buffer): void {
    this.#sockets.find(slot, generation)?.reject(response)
    this.#sockets.remove(slot, generation)
    this.#sockets.left()
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
      this.#deferred.push(() => this.#tell((core) => core.blocked(slot, generation)))
    }
  }

  end(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.end()
  }

  terminate(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.terminate()
  }

  removed(slot: number, generation: number): void {
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

  logged(level: number, text: string): void {
    this.log.fromEngine(level, text)
  }

  read(feed: string, file: string): void {
    readFile(resolvePath(this.#root, file)).then(
      (content) => this.input((core) => core.file_read(feed, this.#memory.putBytes(content))),
      (error: unknown) => this.input((core) => core.file_failed(feed, describe(error))),
    )
  }

  async #start(start: () => unknown): Promise<void> {
    try {
      await start()
    } catch (error) {
      this.log.write('error', `commands.on.start failed: ${describe(error)}`)
    }
  }

  #tell(tell: (core: Core) => void): void {
    if (this.#isBroken) return
    try {
      this.#setClock()
      tell(this.#core)
    } catch (error) {
      // What the arguments of user code forbid is the user's to catch.
      if (!isTrap(error)) throw error
      this.#break(error)
    }
  }

  /** All that one turn does happens at one time. */
  #setClock(): void {
    if (this.#isClockSet) return
    this.#isClockSet = true
    this.#core.set_now(performance.now(), Date.now())
  }

  /** All that this round of Node's loop brings shares one turn, and so one write per socket. */
  #soon(): void {
    if (this.#isTurning || this.#isDue || this.#isBroken) return
    this.#isDue = true
    setImmediate(this.#onDue)
  }

  readonly #onDue = (): void => {
    this.#isDue = false
    this.#isFirst = true
    // What hooks send that are done within this tick goes out with the rest.
    if (this.#take('unless-awaited')) queueMicrotask(() => process.nextTick(() => this.turn()))
  }

  /** The engine failed where it must not: nothing it says can be trusted any more. */
  #break(error: unknown): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#alarm.stop()
    this.log.write('error', `the engine failed, restart the server: ${lastPanic() ?? describe(error)}`)
    for (const socket of this.#sockets) socket.terminate()
    this.#dialler.terminate()
    this.#sockets.giveUp()
  }
}
