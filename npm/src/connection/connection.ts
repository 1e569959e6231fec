/** A client as handlers see it. */

import { inspect } from 'node:util'

import type { Core } from '../engine/wasm.js'
import type { BroadcastOptions, UpgradeRequest, WebSocketConnection } from '../interface/connection.js'
import { closeCode, closeReason, controlPayload, flag, milliseconds, name, nameOrNone, optionsOf, shapeOf } from '../values/arguments.js'
import { errorText } from '../values/error.js'
import { toPayload, type Payload } from '../values/payload.js'
import type { ConnectionFaults } from '../interface/faults.js'
import { addTo } from './faults.js'
import type { Host } from './host.js'
import { Rooms } from './rooms.js'
import type { Socket } from './socket.js'

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

  get faults(): ConnectionFaults {
    return { add: (faults) => addTo(this.#host, this.#socket, faults) }
  }

  get rooms(): Set<string> {
    this.#rooms ??= new Rooms(this)
    return this.#rooms.refresh()
  }

  send(data: unknown): Promise<void> {
    try {
      this.#host.send(this.#socket, typeof data === 'string' ? data : toPayload(data))
      return DONE
    } catch (error) {
      return this.#rejected('send', error)
    }
  }

  broadcast(data: unknown, options?: BroadcastOptions | null): void {
    const given = optionsOf(options, 'broadcast', "{ room: 'lobby' }")
    const includeSelf = flag(given.includeSelf, 'broadcast: includeSelf')
    this.#host.broadcast(this.#socket, toPayload(data), audience(given), includeSelf)
  }

  broadcastAllRooms(data: unknown, includeSelf?: boolean | null): void {
    this.#host.broadcastAllRooms(this.#socket, toPayload(data), flag(includeSelf, 'broadcastAllRooms: includeSelf'))
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

  recover(room?: string | null, position?: string | null): void {
    const [joined, from] = [name(room ?? '', 'recover'), name(position ?? '', 'recover: position')]
    this.#command((core, slot, generation) => core.recover(slot, generation, joined, from))
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
    payload: Payload,
    command: (core: Core, slot: number, generation: number, length: number) => string | undefined,
  ): void {
    const { slot, generation } = this.#socket
    check(this.#host.inputWith(payload, (core, _kind, length) => command(core, slot, generation, length)))
  }

  /** Nobody has to await these promises: one that is not awaited must not end the process. */
  #rejected(what: string, error: unknown): Promise<never> {
    this.#host.log.write('warn', `${what} on ${this.path}: ${errorText(error)}`)
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
