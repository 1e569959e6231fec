/** One client's socket, from its upgrade request to its end. */

import type { IncomingMessage } from 'node:http'
import type { Socket as NetSocket } from 'node:net'
import type { Duplex } from 'node:stream'

import type { Accept } from './batch.js'
import type { Member } from './channel.js'
import { Connection } from './connection.js'
import type { UpgradeRequest } from './handler.js'
import type { Host } from './host.js'

/** Passes bytes between Node's socket and the engine. */
export class Socket {
  readonly slot: number
  readonly generation: number
  readonly request: UpgradeRequest
  readonly path: string
  name = ''
  subprotocol: string | undefined
  authData: any = undefined
  /** `authenticate` was a function, and its data is to be kept as it is. */
  isAdmitted = false
  /** Resolves when the transport is gone. */
  readonly closed: Promise<void>
  /** The value of the message in work, between two hooks of it. */
  message: unknown
  /** The call in work; an answer to another one comes too late. */
  call = -1
  /** Which route serves it; known once it runs functions. */
  route = -1
  /** The topics whose joins were begun, in the dialect `phoenix`. */
  readonly channels = new Map<string, Member>()
  /** What a hook threw, to be shown to `onError` as it was. */
  thrown: { message: string; error: unknown } | undefined
  readonly #host: Host
  readonly #raw: Duplex
  readonly #head: Buffer
  #resolveClosed!: () => void
  #connection: Connection | undefined
  #isEnded = false
  readonly #onClose = (): void => {
    this.#resolveClosed()
    this.#host.disconnected(this)
  }

  readonly #onEnd = (): void => {
    // Without a closing handshake nothing more can come of it; before the opening one, no more either.
    if (!this.#isEnded) this.#raw.destroy()
  }

  constructor(host: Host, request: IncomingMessage, raw: Duplex, head: Buffer, slot: number, generation: number) {
    this.#host = host
    this.#raw = raw
    this.#head = head
    this.slot = slot
    this.generation = generation
    this.request = Object.assign(request, { params: null })
    this.path = pathOf(request.url)
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve))
    // A socket's error without a listener ends the process. What it says, the close that follows says too.
    raw.on('error', ignore)
    raw.on('close', this.#onClose)
    // A client may go while `authenticate` takes its time.
    raw.on('end', this.#onEnd)
  }

  /** What handlers see; made when the first of them runs. */
  get connection(): Connection {
    return (this.#connection ??= new Connection(this.#host, this))
  }

  /** Leaves the socket as it was found, to whoever else wants it. */
  release(): void {
    this.#raw.off('error', ignore)
    this.#raw.off('close', this.#onClose)
    this.#raw.off('end', this.#onEnd)
  }

  /** Answers 101; frames may follow. */
  accept(accept: Accept): void {
    this.name = accept.name
    this.subprotocol = accept.subprotocol
    this.request.params = accept.params
    if (!this.isAdmitted) this.authData = accept.authData
    const raw = this.#raw
    // The HTTP server's timeouts are not for us.
    if ('setTimeout' in raw) (raw as NetSocket).setTimeout(0)
    if ('setNoDelay' in raw) (raw as NetSocket).setNoDelay(true)
    raw.write(accept.head)
    raw.on('drain', () => this.#host.drained(this))
    raw.on('data', (chunk: Buffer) => this.#host.receive(this, chunk))
    raw.resume()
  }

  /** What came together with the request. */
  get head(): Buffer {
    return this.#head
  }

  /** Answers with something else than 101. */
  reject(response: Buffer): void {
    this.#raw.off('close', this.#onClose)
    this.#raw.off('end', this.#onEnd)
    this.#resolveClosed()
    answer(this.#raw, response)
  }

  /** Writes frames; whether the socket has room for more. */
  write(frames: Buffer[]): boolean {
    const raw = this.#raw
    if (raw.destroyed || raw.writableEnded) return true
    if (frames.length === 1) return raw.write(frames[0])
    let hasRoom = true
    raw.cork()
    for (const frame of frames) hasRoom = raw.write(frame)
    raw.uncork()
    return hasRoom
  }

  pause(): void {
    this.#raw.pause()
  }

  resume(): void {
    this.#raw.resume()
  }

  /** Closes when all is written. What the client still sends is read and thrown away. */
  end(): void {
    this.#isEnded = true
    this.#raw.end()
    this.#raw.resume()
    // The client may have closed its half already.
    if (this.#raw.readableEnded) this.#raw.once('finish', () => this.#raw.destroy())
  }

  /**
   * Keeps who is calling now from destroying the socket, as Vite does with all when it stops: this one has a goodbye
   * to say.
   */
  keep(): void {
    const raw = this.#raw
    raw.destroy = () => raw
    queueMicrotask(() => Reflect.deleteProperty(raw, 'destroy'))
  }

  /** Closes at once. */
  terminate(): void {
    this.#raw.destroy()
  }
}

/** Writes a whole HTTP response and closes. */
export function answer(raw: Duplex, response: Buffer | string): void {
  raw.once('finish', () => raw.destroy())
  raw.end(response)
}

/** For sockets that are not a {@link Socket}'s. */
export function ignore(): void {}

function pathOf(url = '/'): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}
