/** Where the clients of a test come in. */

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket as NetSocket } from 'node:net'
import type { Duplex } from 'node:stream'

import { attachTo } from '../accept/attachment.js'
import type { Started } from '../attach.js'
import { ignore, respond } from '../connection/socket.js'
import type { HttpServer, Switchboard } from '../interface/switchboard.js'
import { show } from './description.js'

export const HOST = '127.0.0.1'

/** What a listener needs of its server. */
interface Owner {
  /** A client was refused before the Switchboard saw it. */
  refused(request: IncomingMessage, status: number): void
  /** The server that was given to it closes. */
  closed(): void
}

/** A port of its own, or a server that the test has. */
export class Listener {
  readonly #started: Started
  readonly #owner: Owner
  readonly #own: Server | undefined
  readonly #http: HttpServer
  readonly #transports = new Set<NetSocket>()
  #refusing: { status: number; times: number; headers: Record<string, string> } | undefined
  #isDown = false
  #detach: (() => void) | undefined

  constructor(started: Started, given: HttpServer | undefined, owner: Owner) {
    this.#started = started
    this.#owner = owner
    this.#own = given === undefined ? createServer() : undefined
    this.#http = given ?? this.#own!
  }

  /** Ready when this is done. */
  async listen(): Promise<void> {
    const own = this.#own
    if (own === undefined) return this.#join()
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

  /** Nobody gets through any more; who is connected by HTTP loses that. */
  down(): void {
    this.#isDown = true
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

  /** Everybody gets through again. */
  reset(): void {
    this.#isDown = false
    this.#refusing = undefined
  }

  async close(): Promise<void> {
    const own = this.#own
    if (own === undefined) return
    own.closeAllConnections()
    for (const socket of this.#transports) socket.destroy()
    await new Promise<void>((resolve) => own.close(() => resolve()))
  }

  /** Takes no more from the server that was given. */
  detach(): void {
    this.#detach?.()
  }

  /** Takes what is its own from the server that was given. */
  #join(): void {
    const running = this.#started.running!
    this.#detach = attachTo(this.#http, {
      upgrade: (request, socket, head) => running.host.serves(pathOf(request)) && this.#upgrade(request, socket, head ?? undefined),
      request: this.#switchboard.request,
      serves: (path) => running.host.serves(path),
      nearest: (path) => running.host.nearest(path),
      untaken: () => {},
      unclaimed: (path) => running.host.unclaimed(path),
      loadingFor: () => undefined,
      closed: () => this.#owner.closed(),
    })
  }

  get #switchboard(): Switchboard {
    return this.#started.switchboard
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head?: Buffer): boolean {
    const refusing = this.#refusing
    if (this.#isDown) {
      socket.destroy()
    } else if (refusing && refusing.times > 0) {
      refusing.times--
      this.#refuse(request, socket, refusing.status, refusing.headers)
    } else if (!this.#switchboard.upgrade(request, socket, head)) {
      this.#refuse(request, socket, 404, {}, `nothing is served on ${pathOf(request)}; served are ${this.#switchboard.patterns.join(', ')}\n`)
    }
    return true
  }

  #refuse(request: IncomingMessage, socket: Duplex, status: number, headers: Record<string, string>, body = ''): void {
    socket.on('error', ignore)
    this.#owner.refused(request, status)
    const lines = Object.entries({ ...headers, Connection: 'close', 'Content-Length': Buffer.byteLength(body) })
    respond(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#switchboard.request(request, response)) response.writeHead(404).end()
  }
}

/** The path of a request, without its query. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split(/[?#]/, 1)[0]!
}
