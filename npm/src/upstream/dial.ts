/**
 * Connections that the engine opens itself: to the targets of proxies and to the sources of feeds. The engine takes care
 * of timeouts, and of how much waits: it is told what was taken, and decides when to read.
 */

import { WebSocket } from 'ws'

import type { Host } from '../connection/host.js'
import type { Dial } from '../engine/actor.js'
import { PayloadKind } from '../engine/contract.js'
import { MAX_MESSAGE } from '../engine/memory.js'
import { nextTick, queueMicrotask, setTimeout } from '../engine/time.js'
import type { Core } from '../engine/wasm.js'

/** `code` of a close without a close frame. */
const ABNORMAL = 1006

/** How long in ms a connection that is closing may take when the server has stopped. */
const CLOSE_TIMEOUT = 2000

/** All outgoing connections of one host. */
export class Dialler {
  readonly #host: Host
  readonly #known = new Map<number, Upstream>()

  constructor(host: Host) {
    this.#host = host
  }

  /** Opens a connection. The engine is told of its events only after this has returned. */
  dial(upstream: number, dial: Dial): void {
    let socket: WebSocket
    try {
      socket = open(dial)
    } catch {
      // The error quotes the URL, whose query may contain a token.
      queueMicrotask(() => this.#host.input((core) => core.upstream_failed(upstream, 'the URL or a header is malformed')))
      return
    }
    this.#known.set(upstream, new Upstream(this.#host, upstream, socket, () => this.#known.delete(upstream)))
  }

  /** Those that are not open yet, one object for each. */
  *pending(): Iterable<object> {
    for (const known of this.#known.values()) if (known.socket.readyState === WebSocket.CONNECTING) yield known
  }

  /** Sends a message on a connection that is open. */
  send(upstream: number, message: string | Buffer): void {
    this.#known.get(upstream)?.send(message)
  }

  /** Reads no more of a connection. */
  pause(upstream: number): void {
    this.#known.get(upstream)?.socket.pause()
  }

  /** Reads on. */
  resume(upstream: number): void {
    this.#known.get(upstream)?.socket.resume()
  }

  /** Closes a connection that is open when everything is written; with code 1006 without a close frame. */
  close(upstream: number, code: number | undefined, reason: string): void {
    this.#known.get(upstream)?.close(code, reason)
  }

  /** Drops a connection, open or not. The engine is told nothing more of it. */
  terminate(upstream: number): void {
    const known = this.#known.get(upstream)
    this.#known.delete(upstream)
    known?.drop()
  }

  /** Drops all connections, those that are closing when they have had their time. */
  terminateAll(): void {
    for (const known of this.#known.values()) known.leave()
    this.#known.clear()
  }
}

/** One outgoing connection. */
class Upstream {
  readonly socket: WebSocket
  readonly #host: Host
  readonly #id: number
  /** Messages that the transport has not taken yet. */
  #waiting = 0
  /** Messages that it has taken and the engine was not told of. */
  #sent = 0
  /** To be dropped when nothing waits. */
  #isEnding = false
  /** The engine is told nothing more of it. */
  #isForgotten = false

  constructor(host: Host, id: number, socket: WebSocket, forget: () => void) {
    this.#host = host
    this.#id = id
    this.socket = socket
    let status: number | undefined
    let error: string | undefined
    socket.on('open', () => this.#tell((core) => core.upstream_opened(id, socket.protocol || undefined)))
    socket.on('message', (data: Buffer, isBinary) => {
      if (this.#isForgotten) return
      host.receivedUpstream(id, isBinary ? PayloadKind.Binary : PayloadKind.Text, data)
    })
    socket.on('unexpected-response', (request, { statusCode = 0 }) => {
      status = statusCode
      request.destroy()
      socket.terminate()
    })
    socket.on('error', (thrown) => (error ??= failureText(thrown)))
    socket.on('close', (code, reason) => {
      this.#tell((core) => {
        if (status !== undefined) core.upstream_refused(id, status)
        else if (error !== undefined) core.upstream_failed(id, error)
        else core.upstream_closed(id, code, reason.toString())
      })
      forget()
    })
  }

  send(message: string | Buffer): void {
    this.#waiting++
    this.socket.send(message, this.#onSent)
  }

  close(code: number | undefined, reason: string): void {
    if (code === ABNORMAL) {
      this.#isEnding = true
      if (this.#waiting === 0) this.socket.terminate()
      return
    }
    try {
      this.socket.close(code, reason)
    } catch {
      this.socket.terminate()
    }
  }

  /** The engine watches it no more. */
  leave(): void {
    if (this.socket.readyState !== WebSocket.CLOSING) return this.drop()
    this.#isForgotten = true
    setTimeout(() => this.socket.terminate(), CLOSE_TIMEOUT).unref()
  }

  drop(): void {
    this.#isForgotten = true
    this.socket.terminate()
  }

  /** For callbacks of `ws`: a connection that breaks reports it by an event. */
  readonly #onSent = (error?: Error): void => {
    this.#waiting--
    if (error) return
    // What is taken within one tick is told at once.
    if (this.#sent++ === 0) nextTick(this.#report)
    if (this.#isEnding && this.#waiting === 0) this.socket.terminate()
  }

  readonly #report = (): void => {
    const sent = this.#sent
    this.#sent = 0
    this.#tell((core) => core.upstream_sent(this.#id, sent))
  }

  #tell(tell: (core: Core) => void): void {
    if (!this.#isForgotten) this.#host.input(tell)
  }
}

function open({ url, headers, protocols, maxMessage }: Dial): WebSocket {
  const byName: Record<string, string[]> = {}
  for (const [name, value] of headers) (byName[name.toLowerCase()] ??= []).push(value)
  return new WebSocket(url, protocols, {
    headers: byName as Record<string, string & string[]>,
    // One that is larger ends the connection with 1009.
    maxPayload: Math.min(maxMessage, MAX_MESSAGE),
    // A process that has nothing else to do may end.
    finishRequest: (request) => {
      request.on('socket', (socket) => socket.unref())
      request.end()
    },
  })
}

/** What went wrong; where several addresses were tried, with the first. */
function failureText(error: Error & { code?: string }): string {
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : []
  return error.message || first?.message || error.code || error.name
}
