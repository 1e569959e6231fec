/** One client's socket, from its upgrade request to its end. */

import type { IncomingMessage } from 'node:http'
import type { Socket as NetSocket } from 'node:net'
import type { Duplex } from 'node:stream'

import type { Accept } from '../engine/actor.js'
import { queueMicrotask, setTimeout } from '../engine/time.js'
import type { UpgradeRequest } from '../interface/connection.js'
import { Connection } from './connection.js'
import type { Host } from './host.js'

/** Under this name a socket of Node's knows its {@link Socket}: so all share their listeners. */
const OWNER = Symbol('switchboard')

const NOBODY: (() => void)[] = []

/** A socket of Node's that is ours. */
interface Owned extends Duplex {
  [OWNER]: Socket
}

/**
 * Where a socket stands; it only ever goes on.
 *
 * - `pending`: the engine has not answered its upgrade yet.
 * - `open`: it has been answered 101.
 * - `ending`: it was refused, ended or dropped, and its transport is about to go.
 * - `gone`: the transport is closed.
 */
export type SocketState = 'pending' | 'open' | 'ending' | 'gone'

/** How long in ms a client may take to go after the engine failed. */
const FAREWELL = 1000

/** Passes bytes between Node's socket and the engine. */
export class Socket {
  readonly slot: number
  readonly generation: number
  readonly request: UpgradeRequest
  name = ''
  subprotocol: string | undefined
  authData: any = undefined
  /** `authenticate` was a function, and its data is to be kept as it is. */
  isAdmitted = false
  /** The value of the message in work, between two hooks of it. */
  message: unknown
  /** The call of the latest hook that may change it: what an earlier one comes to late is not for it. */
  messageCall = 0
  /** Which route serves it; known once it is accepted or runs functions. */
  route = -1
  /** `onClose` was called, which happens once. */
  isToldClosed = false
  /** How many callbacks are at work. */
  calls = 0
  /** What came together with the request, until the connection is open. */
  head: Buffer | undefined
  /** What a hook threw, to be shown to `onError` as it was. */
  thrown: { message: string; error: unknown } | undefined
  readonly #host: Host
  readonly #raw: Duplex
  #connection: Connection | undefined
  /** Who wants to know when the connection is closed; `undefined` after that. */
  #onClosed: (() => void)[] | undefined = NOBODY
  #state: SocketState = 'pending'
  /** Whether the engine counts on it: not once it was refused. */
  #isKnown = true
  #isBlocked = false
  /** The engine wants nothing to be read. */
  #isPaused = false
  /** What came when there was no time for it. */
  #held: Buffer | undefined

  constructor(host: Host, request: IncomingMessage, raw: Duplex, slot: number, generation: number) {
    this.#host = host
    this.#raw = raw
    this.slot = slot
    this.generation = generation
    this.request = request as UpgradeRequest
    this.request.params = {}
    ;(raw as Owned)[OWNER] = this
    // An error without a listener ends the process. A `close` follows it, which is enough to know.
    raw.on('error', ignore)
    raw.on('close', onClose)
    // A client may go while `authenticate` takes its time.
    raw.on('end', onEnd)
  }

  /** The whole path of the request, without the query. */
  get path(): string {
    const { url = '/' } = this.request
    const end = url.search(/[?#]/)
    return end === -1 ? url : url.slice(0, end)
  }

  get state(): SocketState {
    return this.#state
  }

  /** Bytes that came while the socket is not read. */
  get unreadBytes(): number {
    return this.#raw.readableLength
  }

  /** Bytes that were written and that the system has not taken. */
  get queuedBytes(): number {
    return this.#raw.writableLength
  }

  /**
   * As {@link queuedBytes}, and less with every piece of it that the system takes: Node counts what was written at once as
   * queued until all of it is taken, and only its handle knows how much that is by now.
   */
  get unsentBytes(): number {
    const { _handle: handle } = this.#raw as { _handle?: { writeQueueSize?: number } | null }
    return this.queuedBytes + (handle?.writeQueueSize ?? 0)
  }

  /**
   * Resolves when the transport is gone and `onClose` has run. While another callback is at work, which `onClose` comes
   * after and which may be what waits here, it is enough that the transport is gone.
   */
  get closed(): Promise<void> {
    const waiting = this.#onClosed
    if (waiting === undefined || (this.#state === 'gone' && this.calls > 0)) return Promise.resolve()
    return new Promise((resolve) => {
      if (waiting === NOBODY) this.#onClosed = [resolve]
      else waiting.push(resolve)
    })
  }

  /** The socket of Node's that the server handed over. */
  get raw(): Duplex {
    return this.#raw
  }

  /** What handlers see; made when the first of them runs. */
  get connection(): Connection {
    return (this.#connection ??= new Connection(this.#host, this))
  }

  /** Answers 101; frames may follow. Gives what came together with the request, if there was anything. */
  accept(accept: Accept): Buffer | undefined {
    if (this.#state !== 'pending') return undefined
    this.#state = 'open'
    this.name = accept.name
    this.route = accept.route
    this.subprotocol = accept.subprotocol
    this.request.params = accept.params ?? {}
    if (!this.isAdmitted) this.authData = accept.authData
    const raw = this.#raw
    // The HTTP server's timeouts do not apply to WebSockets.
    if ('setTimeout' in raw) (raw as NetSocket).setTimeout(0)
    if ('setNoDelay' in raw) (raw as NetSocket).setNoDelay(true)
    raw.write(accept.head)
    raw.on('drain', onDrain)
    raw.on('data', onData)
    raw.resume()
    const { head } = this
    this.head = undefined
    return head
  }

  /** Answers with something else than 101; the engine has forgotten it. */
  reject(response: Buffer | string): void {
    this.#isKnown = false
    if (this.#state !== 'pending') return
    this.#state = 'ending'
    respond(this.#raw, response)
  }

  /** Bytes came. */
  received(chunk: Buffer): void {
    this.#host.receive(this, chunk)
  }

  /** There is room again. */
  drained(): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    this.#host.drained(this)
  }

  /** The client has closed its half. */
  halfClosed(): void {
    // Without a closing handshake nothing more can come of it; before the opening one, no more either.
    if (this.#state !== 'ending') this.#raw.destroy()
  }

  /** The transport is gone. */
  gone(): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    if (!this.#isKnown || this.calls > 0) this.#resolveClosed()
    this.#host.gone(this, this.#isKnown)
  }

  /** The engine has forgotten it, after `onClose`. */
  forgotten(): void {
    this.#resolveClosed()
  }

  /** Writes frames; whether the socket has room for more. */
  write(frames: Buffer | Buffer[]): boolean {
    const raw = this.#raw
    if (!raw.writable) return true
    let hasRoom = true
    if (Array.isArray(frames)) {
      raw.cork()
      for (const frame of frames) hasRoom = raw.write(frame)
      raw.uncork()
    } else {
      hasRoom = raw.write(frames)
    }
    // Node returns false for everything beyond 16 KiB, even if the kernel has taken it at once.
    this.#isBlocked = !hasRoom && raw.writableLength > 0
    return !this.#isBlocked
  }

  pause(): void {
    this.#isPaused = true
    this.#raw.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#held === undefined) this.#raw.resume()
  }

  /** Whether something is kept. */
  get isHeld(): boolean {
    return this.#held !== undefined
  }

  /** Keeps what came, and reads no more until it is released. Gives whether it is the first that is kept. */
  hold(chunk: Buffer): boolean {
    const held = this.#held
    this.#held = held === undefined ? chunk : Buffer.concat([held, chunk])
    this.#raw.pause()
    return held === undefined
  }

  /** Gives what was kept, and reads on. */
  release(): Buffer | undefined {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined && !this.#isPaused) this.#raw.resume()
    return held
  }

  /** Closes when all is written. What the client still sends is read and thrown away, until the engine pauses it. */
  end(): void {
    if (this.#state === 'gone') return
    this.#state = 'ending'
    this.#raw.end()
    this.#raw.resume()
    // The client may have closed its half already.
    if (this.#raw.readableEnded) this.#raw.once('finish', () => this.#raw.destroy())
  }

  /**
   * Keeps the socket, and the one `below` it, from being destroyed before this tick is over. Vite destroys all sockets
   * when it stops; what waits for this client, the close frame included, is still to be written.
   */
  keep(below?: Duplex): void {
    for (const raw of below === undefined ? [this.#raw] : [this.#raw, below]) {
      raw.destroy = () => raw
      queueMicrotask(() => Reflect.deleteProperty(raw, 'destroy'))
    }
  }

  /** Closes at once. */
  terminate(): void {
    if (this.#state !== 'gone') this.#state = 'ending'
    this.#raw.destroy()
  }

  #resolveClosed(): void {
    const waiting = this.#onClosed
    this.#onClosed = undefined
    for (const resolve of waiting ?? []) resolve()
  }

  /** The engine failed: closes the connection in its place. Returns whether it was open. */
  interrupt({ code, reason }: { code: number; reason: string }): boolean {
    this.#isKnown = false
    const { raw } = this
    const was = this.#state
    if (was === 'gone') return false
    setTimeout(() => raw.destroy(), FAREWELL).unref()
    if (was === 'pending') this.reject(UNAVAILABLE)
    if (was !== 'open') return false
    if (raw.writable) raw.write(closeFrame(code, reason))
    this.end()
    return true
  }
}

const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** A close frame of a server, RFC 6455 section 5.5.1. */
function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason)
  return Buffer.concat([Buffer.from([0x88, 2 + text.length, code >> 8, code & 0xff]), text])
}

function onData(this: Duplex, chunk: Buffer): void {
  ;(this as Owned)[OWNER].received(chunk)
}

function onDrain(this: Duplex): void {
  ;(this as Owned)[OWNER].drained()
}

function onEnd(this: Duplex): void {
  ;(this as Owned)[OWNER].halfClosed()
}

function onClose(this: Duplex): void {
  ;(this as Owned)[OWNER].gone()
}

/** Writes a whole HTTP response and closes. */
export function respond(raw: Duplex, response: Buffer | string): void {
  raw.once('finish', () => raw.destroy())
  raw.end(response)
}

/** For sockets that are not a {@link Socket}'s. */
export function ignore(): void {}
