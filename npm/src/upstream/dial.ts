/** Connections that the engine opens itself: to what it proxies, to what it takes feeds from. */

import { STATUS_CODES } from 'node:http'

import { WebSocket } from 'ws'

import { PayloadKind } from '../host/contract.js'
import type { Host } from '../host/host.js'
import { MAX_MESSAGE } from '../host/memory.js'

/** What to open, as the engine describes it: `wasm/src/upstream.rs`. */
export interface Dial {
  url: string
  /** Names and values; a name may come more than once. */
  headers: [string, string][]
  protocols: string[]
  /** Ms that the other side may take to answer. */
  timeout: number
  /** The largest message to take, in bytes. */
  maxMessage: number
}

/** So many bytes may wait for a server that does not read; one message more breaks the connection. */
const MAX_WAITING = 16 * 1024 * 1024

/** How long in ms the other side may take to answer a close frame. */
const CLOSE_TIMEOUT = 2000

/** setTimeout takes no longer time. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** All outgoing connections of one host. */
export class Dialler {
  readonly #host: Host
  /** Those of which the engine still hears. */
  readonly #known = new Map<number, WebSocket>()

  constructor(host: Host) {
    this.#host = host
  }

  /** Opens a connection. Whatever becomes of it, the engine hears it later than this returns. */
  dial(upstream: number, dial: Dial): void {
    let socket: WebSocket
    try {
      socket = open(dial)
    } catch {
      // What was thrown quotes the URL, whose query may hold a token.
      queueMicrotask(() => this.#failed(upstream, 'the URL or a header is malformed'))
      return
    }
    this.#known.set(upstream, socket)
    this.#listen(upstream, socket, dial.timeout)
  }

  /** Sends a message on a connection that is open. */
  send(upstream: number, message: string | Buffer): void {
    const socket = this.#known.get(upstream)
    if (socket === undefined) return
    if (socket.bufferedAmount > MAX_WAITING) {
      this.#known.delete(upstream)
      socket.terminate()
      queueMicrotask(() => this.#failed(upstream, 'it does not read what it is sent'))
      return
    }
    // A connection that breaks meanwhile says so itself.
    socket.send(message, ignore)
  }

  /** Closes a connection, open or not yet. The engine hears no more of it. */
  close(upstream: number, code: number | undefined, reason: string): void {
    const socket = this.#known.get(upstream)
    if (socket === undefined) return
    this.#known.delete(upstream)
    if (socket.readyState !== WebSocket.OPEN) return socket.terminate()
    const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT)
    timer.unref()
    socket.once('close', () => clearTimeout(timer))
    try {
      socket.close(code, reason)
    } catch {
      socket.terminate()
    }
  }

  /** Drops all connections but those that are closing, which end by themselves. */
  terminate(): void {
    for (const socket of this.#known.values()) socket.terminate()
    this.#known.clear()
  }

  #listen(upstream: number, socket: WebSocket, timeout: number): void {
    let error: string | undefined
    const timer = setTimeout(() => {
      error = `no answer within ${timeout} ms`
      socket.terminate()
    }, Math.min(timeout, LONGEST_TIMEOUT))
    timer.unref()
    const isKnown = (): boolean => this.#known.get(upstream) === socket
    socket.on('open', () => {
      clearTimeout(timer)
      if (isKnown()) this.#host.input((core) => core.upstream_opened(upstream, socket.protocol || undefined))
    })
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isKnown()) return
      const kind = isBinary ? PayloadKind.Binary : PayloadKind.Text
      this.#host.receivedUpstream(upstream, kind, data)
    })
    socket.on('unexpected-response', (request, { statusCode = 0 }) => {
      error = `answered ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trimEnd() + ' instead of 101'
      request.destroy()
      socket.terminate()
    })
    socket.on('error', (thrown) => (error ??= describe(thrown)))
    socket.on('close', (code, reason) => {
      clearTimeout(timer)
      if (!isKnown()) return
      this.#known.delete(upstream)
      if (error !== undefined) return this.#failed(upstream, error)
      this.#host.input((core) => core.upstream_closed(upstream, code, reason.toString()))
    })
  }

  #failed(upstream: number, message: string): void {
    this.#host.input((core) => core.upstream_failed(upstream, message))
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
function describe(error: Error & { code?: string }): string {
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : []
  return error.message || first?.message || error.code || error.name
}

function ignore(): void {}
