/** A client as handlers see it. */

import { inspect } from 'node:util'

import { encode, type Encoded } from '../callbacks/payload.js'
import type { UpgradeRequest } from '../config/handler.js'
import type { Host } from '../host/host.js'
import { describe } from '../host/logger.js'
import type { Core } from '../host/wasm.js'
import { closeCode, closeReason, controlPayload, flag, milliseconds, name, nameOrNone, optionsOf, shapeOf } from './arguments.js'
import { Rooms } from './rooms.js'
import type { Socket } from './socket.js'

/** Whom a broadcast goes to. */
export interface BroadcastOptions {
  /** The members of this room. Default, and with an empty text: everyone on the handler. */
  room?: string | null
  /** The members of any of these rooms, each once; `[]` is nobody. Together with `room`: of that one too. */
  rooms?: Iterable<string> | null
  /** Also this connection, if it is among them. Default `false`. */
  includeSelf?: boolean | null
}

/**
 * One client of a handler. After it is closed everything here does nothing. Arguments that make no sense throw a
 * `TypeError` that says what to write.
 */
export interface WebSocketConnection<AuthData = any> {
  /** Unique: a version 4 UUID. */
  readonly id: string
  /** The whole path, prefix included, without the query. */
  readonly path: string
  /** The opening handshake's request; `req.params` holds what the pattern's `{name}` parts stood for. */
  readonly req: UpgradeRequest
  /** What `authenticate` returned as `data`. Default `undefined`. */
  readonly authData: AuthData
  /** The subprotocol both sides agreed on. Default `undefined`. */
  readonly subprotocol: string | undefined
  /** Whether nothing can be sent any more. */
  readonly closed: boolean
  /** A place for your own data. Default `{}`. */
  metadata: Record<string, any>
  /** The rooms the connection is in, always as they are now; adding and deleting joins and leaves. */
  readonly rooms: Set<string>

  /** Sends text as text, bytes as binary, nothing for `undefined`, and anything else as JSON. */
  send(data: unknown): Promise<void>
  /** Sends to the others on this handler, or in rooms of it. */
  broadcast(data: unknown, options?: BroadcastOptions | null): void
  /** Sends to all rooms this connection is in, to each member once; without rooms to everyone on the handler. */
  broadcastAllRooms(data: unknown, includeSelf?: boolean | null): void
  /** Sends a ping of at most 125 bytes. */
  ping(payload?: string | Uint8Array | null): void
  /** Sends an unasked pong of at most 125 bytes. */
  pong(payload?: string | Uint8Array | null): void
  /**
   * Starts the closing handshake; done when the connection is gone and `onClose` has run. Inside of a callback of the
   * same connection, which `onClose` comes after, it is done when the connection is gone. A code that must not be sent
   * rejects with a `RangeError`, no number or no text with a `TypeError`; the connection stays open. Defaults `1000`
   * and `''`.
   */
  close(code?: number, reason?: string): Promise<void>
  /** Drops the connection without a close frame; the client sees 1006. */
  forceClose(): void
  /** Joins a room of this handler. */
  joinRoom(room: string): void
  /** Leaves a room. */
  leaveRoom(room: string): void
  /** Whether the connection is in this room. */
  isInRoom(room: string): boolean
  /** The rooms, in the order they were joined. */
  getRooms(): string[]
  /** Pings every so many ms, and closes after three pings without a pong. */
  startHeartbeat(ms: number): void
  /** Stops the heartbeat. */
  stopHeartbeat(): void
  /** Closes after so many ms of silence. */
  startInactivityTimeout(ms: number): void
  /** Begins to count the silence anew, with `ms` as its bound. */
  resetInactivityTimer(ms: number): void
  /** Stops watching for silence. */
  stopInactivityTimeout(): void
  /** Counts no pong as missed. */
  resetMissedPong(): void
}

/** What `send` gives. */
export const DONE = Promise.resolve()

/** A connection that asks its host for everything. */
export class Connection implements WebSocketConnection {
  readonly #host: Host
  readonly #socket: Socket
  #rooms: Rooms | undefined
  #metadata: Record<string, any> | undefined

  /** @internal */
  constructor(host: Host, socket: Socket) {
    this.#host = host
    this.#socket = socket
  }

  get id(): string {
    return this.#socket.name
  }

  get path(): string {
    return this.#socket.path
  }

  get req(): UpgradeRequest {
    return this.#socket.request
  }

  get authData(): any {
    return this.#socket.authData
  }

  get subprotocol(): string | undefined {
    return this.#socket.subprotocol
  }

  get closed(): boolean {
    return !this.#ask((core, slot, generation) => core.is_open(slot, generation), false)
  }

  get metadata(): Record<string, any> {
    return (this.#metadata ??= {})
  }

  set metadata(value: Record<string, any>) {
    this.#metadata = value
  }

  get rooms(): Set<string> {
    this.#rooms ??= new Rooms(this)
    return this.#rooms.refresh()
  }

  send(data: unknown): Promise<void> {
    try {
      this.#host.send(this.#socket, encode(data))
      return DONE
    } catch (error) {
      return this.#rejected('send', error)
    }
  }

  broadcast(data: unknown, options?: BroadcastOptions | null): void {
    const given = optionsOf(options, 'broadcast', "{ room: 'lobby' }")
    const includeSelf = flag(given.includeSelf, 'broadcast: includeSelf')
    this.#host.broadcast(this.#socket, encode(data), audience(given), includeSelf)
  }

  broadcastAllRooms(data: unknown, includeSelf?: boolean | null): void {
    this.#host.broadcastAllRooms(this.#socket, encode(data), flag(includeSelf, 'broadcastAllRooms: includeSelf'))
  }

  ping(payload?: string | Uint8Array | null): void {
    this.#control(controlPayload(payload, 'ping'), (core, slot, generation, length) => core.ping(slot, generation, length))
  }

  pong(payload?: string | Uint8Array | null): void {
    this.#control(controlPayload(payload, 'pong'), (core, slot, generation, length) => core.pong(slot, generation, length))
  }

  close(code: number = 1000, reason: string = ''): Promise<void> {
    try {
      const [number, text] = [closeCode(code, 'close'), closeReason(reason, 'close')]
      this.#command((core, slot, generation) => core.close(slot, generation, number, text))
      return this.#socket.closed
    } catch (error) {
      return this.#rejected('close', error)
    }
  }

  forceClose(): void {
    this.#command((core, slot, generation) => core.terminate(slot, generation))
  }

  joinRoom(room: string): void {
    const joined = name(room, 'joinRoom')
    this.#command((core, slot, generation) => core.join(slot, generation, joined))
  }

  leaveRoom(room: string): void {
    const left = nameOrNone(room)
    if (left !== undefined) this.#command((core, slot, generation) => core.leave(slot, generation, left))
  }

  isInRoom(room: string): boolean {
    const asked = nameOrNone(room)
    if (asked === undefined) return false
    return this.#ask((core, slot, generation) => core.is_in_room(slot, generation, asked), false)
  }

  getRooms(): string[] {
    return this.#ask((core, slot, generation) => core.rooms(slot, generation), [])
  }

  startHeartbeat(ms: number): void {
    const interval = milliseconds(ms, 'startHeartbeat', 'for none call stopHeartbeat()')
    this.#command((core, slot, generation) => core.heartbeat(slot, generation, interval))
  }

  stopHeartbeat(): void {
    this.startHeartbeat(0)
  }

  startInactivityTimeout(ms: number): void {
    const timeout = milliseconds(ms, 'startInactivityTimeout', 'for none call stopInactivityTimeout()')
    this.#command((core, slot, generation) => core.inactivity_timeout(slot, generation, timeout))
  }

  resetInactivityTimer(ms: number): void {
    this.startInactivityTimeout(ms)
  }

  stopInactivityTimeout(): void {
    this.startInactivityTimeout(0)
  }

  resetMissedPong(): void {
    this.#command((core, slot, generation) => core.reset_missed_pongs(slot, generation))
  }

  /** What a log or a debugger shows of it. */
  toJSON(): object {
    const { id, path, subprotocol, closed, metadata } = this
    return { id, path, subprotocol, closed, metadata, rooms: this.getRooms() }
  }

  [inspect.custom](_depth: number, options: object, show = inspect): string {
    return `WebSocketConnection ${show(this.toJSON(), options)}`
  }

  #ask<T>(question: (core: Core, slot: number, generation: number) => T, otherwise: T): T {
    const { slot, generation } = this.#socket
    return this.#host.ask((core) => question(core, slot, generation), otherwise)
  }

  /** Throws what the engine has against it. */
  #command(command: (core: Core, slot: number, generation: number) => string | undefined): void {
    const { slot, generation } = this.#socket
    check(this.#host.input((core) => command(core, slot, generation)))
  }

  #control(
    payload: Encoded,
    command: (core: Core, slot: number, generation: number, length: number) => string | undefined,
  ): void {
    const { slot, generation } = this.#socket
    check(this.#host.inputWith(payload, (core, _kind, length) => command(core, slot, generation, length)))
  }

  /** Nobody has to await these promises: one that is not awaited must not end the process. */
  #rejected(what: string, error: unknown): Promise<never> {
    this.#host.log.write('warn', `${what} on ${this.path}: ${describe(error)}`)
    const rejected = Promise.reject<never>(error)
    rejected.catch(() => {})
    return rejected
  }
}

/** The rooms of a broadcast; `undefined` is everyone on the handler. */
function audience({ room, rooms }: BroadcastOptions): string[] | undefined {
  const named = room ? [name(room, "broadcast: room (for several write rooms: ['a', 'b'])")] : undefined
  if (rooms === undefined || rooms === null) return named
  if (typeof rooms !== 'object' || typeof rooms[Symbol.iterator] !== 'function') {
    throw new TypeError(`broadcast: rooms: expected a list such as ['lobby'], got ${shapeOf(rooms)}`)
  }
  return [...[...rooms].map((one) => name(one, 'broadcast: rooms')), ...(named ?? [])]
}

/** Throws what the engine gave back as an error. */
function check(wrong: string | undefined): void {
  if (wrong !== undefined) throw new RangeError(wrong)
}
