/** What Switchboards do to a server of Node's, in one place, so that it can be undone. */

import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import { Http2ServerRequest, Http2ServerResponse, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

import { ignore } from '../connection/socket.js'
import { setTimeout } from '../engine/time.js'
import type { Handle, HttpServer, Upgrade } from '../interface/switchboard.js'

/** One Switchboard on a server. */
export interface Attached {
  /** Takes an upgrade request if it is ours. */
  upgrade: Upgrade
  /** Answers a plain request if it is ours. Default: none is. */
  request?: Handle
  /** Whether a route is there for this path. */
  serves(path: string): boolean
  /** What is served and nearest to a path that is not. */
  nearest(path: string): string | undefined
  /** Tells the log that an upgrade request waits, and nobody has taken it. */
  untaken(line: string): void
  /** Tells those who watch the server that nobody has taken an upgrade request for this path. */
  unclaimed(path: string): void
  /** What an upgrade request has to wait for, if anything. */
  loadingFor(request: IncomingMessage): Promise<void> | undefined
  /** The server has closed: there are no more requests. */
  closed(): void
}

/**
 * Offers an upgrade request to several Switchboards: the one takes it that has a route, and only if none has, the first
 * that answers for everything below its prefix.
 */
export function claim(
  all: Pick<Attached, 'upgrade' | 'serves'>[],
  request: IncomingMessage,
  socket: Duplex,
  head?: Buffer | null,
): boolean {
  if (all.length === 1) return all[0]!.upgrade(request, socket, head)
  const [path] = (request.url ?? '').split(/[?#]/, 1) as [string]
  const serving = all.filter((one) => one.serves(path))
  return [...serving, ...all].some((one) => one.upgrade(request, socket, head))
}

/** Ms after which the log is told of an upgrade request that nobody has taken. */
const UNTAKEN = 1000

/** The most paths of such requests that are remembered, so that each is told once. */
const MOST_UNTAKEN = 100

/** The servers that have been attached to. */
const attachments = new WeakMap<HttpServer, Attachment>()

/**
 * Attaches a Switchboard to a server: what is ours is not shown to the server's listeners, whenever those are added.
 * The result undoes it, and leaves the server as it was when the last one is gone.
 */
export function attachTo(server: HttpServer, attached: Attached): () => void {
  const attachment = attachments.get(server) ?? new Attachment(server as Server)
  attachments.set(server, attachment)
  return attachment.add(attached)
}

/** All Switchboards of one server. They share one replaced `emit` and one listener. */
class Attachment {
  readonly #server: Server
  readonly #all: Attached[] = []
  /** What the server's `emit` was, while ours is in its place. */
  #emit: Server['emit'] | undefined
  /** The paths of upgrades that nobody took and that the log was told of. */
  readonly #untaken = new Set<string>()
  /** Whether `emit` was the server's own property, not its class's. */
  #wasOwn = false

  constructor(server: Server) {
    this.#server = server
  }

  add(attached: Attached): () => void {
    if (this.#all.push(attached) === 1) this.#install()
    return () => {
      const index = this.#all.indexOf(attached)
      if (index === -1) return
      this.#all.splice(index, 1)
      if (this.#all.length === 0) this.#uninstall()
    }
  }

  #install(): void {
    const server = this.#server
    // To a server without any listener Node does not offer upgrades at all.
    server.on('upgrade', ignore)
    // Whoever replaced `emit` after us passes everything on to ours, which is still there.
    if (this.#emit !== undefined) return
    this.#emit = server.emit
    this.#wasOwn = Object.hasOwn(server, 'emit')
    server.emit = this.#own
  }

  #uninstall(): void {
    const server = this.#server
    server.off('upgrade', ignore)
    if (server.emit !== this.#own) return
    if (this.#wasOwn) server.emit = this.#emit!
    else Reflect.deleteProperty(server, 'emit')
    this.#emit = undefined
  }

  readonly #own = (event: string | symbol, ...args: any[]): boolean => {
    const emit = (): boolean => Reflect.apply(this.#emit!, this.#server, [event, ...args])
    if (this.#all.length === 0) return emit()
    switch (event) {
      case 'upgrade':
        return this.#upgrade(args[0], args[1], args[2], emit)
      case 'request':
        return this.#request(args[0], args[1], emit)
      case 'stream':
        return this.#stream(args, emit)
      case 'close': {
        const heard = emit()
        for (const attached of [...this.#all]) attached.closed()
        return heard
      }
      default:
        return emit()
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, emit: () => boolean): boolean {
    const again = (): void => {
      socket.off('error', ignore)
      if (!socket.destroyed) this.#server.emit('upgrade', request, socket, head)
    }
    const before = (socket as Answering)._httpMessage
    if (before) {
      // An answer to an earlier request is still being written: what comes behind the 101 must be behind it.
      socket.on('error', ignore)
      before.once('close', again)
      return true
    }
    const loading = this.#all.map((attached) => attached.loadingFor(request)).find((promise) => promise !== undefined)
    if (loading) {
      socket.on('error', ignore)
      void loading.then(again)
      return true
    }
    if (claim(this.#all, request, socket, head)) return true
    // Node has taken its own listener away: without one, an error of this socket would end the process.
    socket.on('error', ignore)
    if (this.#server.listenerCount('upgrade') > 1) return this.#leave(request, socket, emit)
    const [path] = (request.url ?? '').split(/[?#]/, 1) as [string]
    for (const attached of this.#all) attached.unclaimed(path)
    return answerPlainly(this.#server, request, socket, head)
  }

  /** Leaves an upgrade request to the other listeners. If none of them takes it, its client waits for ever. */
  #leave({ url = '' }: IncomingMessage, socket: Duplex, emit: () => boolean): boolean {
    const untouched = interestIn(socket)
    const heard = emit()
    setTimeout(() => {
      const told = this.#all[0]
      if (told === undefined || socket.destroyed || interestIn(socket) !== untouched) return
      const [path] = url.split(/[?#]/, 1) as [string]
      for (const attached of this.#all) attached.unclaimed(path)
      if (this.#untaken.has(path)) return
      if (this.#untaken.size >= MOST_UNTAKEN) this.#untaken.clear()
      this.#untaken.add(path)
      const nearest = this.#all.map((one) => one.nearest(path)).find((one) => one !== undefined)
      const hint = nearest === undefined ? 'its client waits for ever' : `did you mean ${nearest}?`
      told.untaken(`nobody took ${path}; ${hint}`)
    }, UNTAKEN).unref()
    return heard
  }

  #request(request: IncomingMessage, response: ServerResponse, emit: () => boolean): boolean {
    restore(request)
    if (this.#all.some((attached) => attached.request?.(request, response))) return true
    if (this.#server.listenerCount('request') > 0) return emit()
    // Nobody else would ever answer.
    response.writeHead(404).end()
    return true
  }

  /** Node makes requests of HTTP/2 streams only where somebody listens for requests. */
  #stream(args: any[], emit: () => boolean): boolean {
    if (this.#server.listenerCount('stream') > 0) return emit()
    const [stream, headers, , rawHeaders] = args as [ServerHttp2Stream, any, number, any]
    stream.on('error', ignore)
    const request = new Http2ServerRequest(stream, headers, {}, rawHeaders)
    return this.#server.emit('request', request, new Http2ServerResponse(stream))
  }
}

/**
 * How many listeners a socket has and how much was written to it: whoever takes it changes that. Listeners that do nothing
 * do not count: Vite 8 adds one for the errors of sockets that it leaves.
 */
function interestIn(socket: Duplex): number {
  const listeners = socket.eventNames().flatMap((name) => socket.listeners(name))
  const interested = listeners.filter((listener) => !/\{\s*\}$/.test(Function.prototype.toString.call(listener)))
  return interested.length + ((socket as Partial<Socket>).bytesWritten ?? 0)
}

/** A socket of Node's, and the response that is being written to it. */
interface Answering extends Duplex {
  _httpMessage?: ServerResponse | null
}

/** Requests whose upgrade nobody took, until they come again as plain ones. */
const untaken = new WeakMap<Duplex, IncomingMessage>()

/**
 * Has an upgrade request that nobody takes answered as a plain request, as Node does where nobody listens for
 * upgrades: its server is given the socket anew, with the same request in front, but for what asks to upgrade.
 */
function answerPlainly(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
  if (socket.destroyed) return true
  const { method, url, httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index]!, rawHeaders[index + 1]!]
    const kept = name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value
    if (name.toLowerCase() !== 'upgrade' && kept !== '') lines.push(`${name}: ${kept}`)
  }
  untaken.set(socket, request)
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  socket.off('error', ignore)
  return server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}

/** Shows an upgrade request that nobody took with all its headers, as it was sent. */
function restore(request: IncomingMessage): void {
  const original = untaken.get(request.socket)
  if (original === undefined) return
  untaken.delete(request.socket)
  request.rawHeaders = original.rawHeaders
  request.headers = original.headers
}

function withoutUpgrade(connection: string): string {
  const tokens = connection.split(',').map((token) => token.trim())
  return tokens.filter((token) => token.toLowerCase() !== 'upgrade').join(', ')
}
