/** Runs the functions of a Phoenix channel, and knows which client is on which topic. */

import type { Host } from '../connection/host.js'
import type { Socket } from '../connection/socket.js'
import type { Call } from '../engine/actor.js'
import { Hook, ReplyStatus } from '../engine/contract.js'
import type { Awaitable } from '../interface/awaitable.js'
import type { WebSocketConnection } from '../interface/connection.js'
import type { ChannelCallbacks, ChannelReply, ChannelSocket, LeaveReason } from '../interface/phoenix.js'
import { flag, name, optionsOf, shapeOf } from '../values/arguments.js'
import { errorText } from '../values/error.js'
import { isThenable } from '../values/payload.js'

/** A reply as the engine takes it. */
export interface EncodedReply {
  status: number
  /** JSON as text, or bytes. */
  response: string | Uint8Array | undefined
  stops: boolean
}

/** The engine's data of a call in addition to its payload; which fields there are depends on the hook. */
interface Step {
  channel: string
  topic: string
  event: string
  ref: string | number | null
  reason: LeaveReason
  /** The event of bytes that Supabase's clients broadcast. */
  broadcast: string | null
}

const NO_REPLY: EncodedReply = { status: ReplyStatus.None, response: undefined, stops: false }

/** Runs the function that a step of a channel is for; gives its reply. */
export function runChannel(channels: Map<string, ChannelCallbacks>, call: Call, socket: Socket, host: Host): Awaitable<EncodedReply> {
  const step = JSON.parse(call.about!) as Step
  const channel = channels.get(step.channel)!
  switch (call.hook) {
    case Hook.ChannelJoin:
      return join(channel, call, step, socket, host)
    case Hook.ChannelHandleIn:
      return handleIn(channel, payloadOf(call, step), step, socket)
    default:
      return leave(channel, step, socket)
  }
}

/** The engine no longer waits for a join: the client does not join, whatever the function returns later. */
export function abandonJoin(socket: Socket, call: number): void {
  for (const member of membersOf(socket).values()) if (member.call === call) refuse(socket, member)
}

/** The engine failed and tells nobody any more: takes a client off its topics. Gives the functions to run for that. */
export function leaveAll(socket: Socket): (() => unknown)[] {
  const all = [...membersOf(socket).values()]
  for (const member of all) refuse(socket, member)
  return all.filter(({ isIn }) => isIn).map((member) => () => member.channel.leave?.('closed', member))
}

function join(channel: ChannelCallbacks, call: Call, step: Step, socket: Socket, host: Host): Awaitable<EncodedReply> {
  const member = new Member(host, socket, call.call, step, channel)
  membersOf(socket).set(step.topic, member)
  const done = (reply: ChannelReply): EncodedReply => {
    const encoded = encodeReply(reply)
    if (encoded.status === ReplyStatus.Error || encoded.stops) refuse(socket, member)
    else member.isIn = !member.isOver
    return encoded
  }
  const refused = (): void => refuse(socket, member)
  try {
    const answer = then(channel.join?.(payloadOf(call, step), member), done)
    if (isThenable(answer)) answer.then(undefined, refused)
    return answer
  } catch (error) {
    refused()
    throw error
  }
}

function refuse(socket: Socket, member: Member): void {
  member.isOver = true
  if (membersOf(socket).get(member.topic) === member) membersOf(socket).delete(member.topic)
}

function handleIn(channel: ChannelCallbacks, payload: unknown, { topic, event, ref }: Step, socket: Socket): Awaitable<EncodedReply> {
  const member = membersOf(socket).get(topic)
  if (member === undefined) return NO_REPLY
  member.ref = ref
  if (typeof channel.handleIn === 'function') return then(channel.handleIn(event, payload, member), encodeReply)
  const answer = Object.hasOwn(channel.handleIn ?? {}, event) ? channel.handleIn![event] : undefined
  if (!answer) return encodeReply({ error: { reason: 'unmatched event' } })
  return then(answer(payload, member), encodeReply)
}

function leave(channel: ChannelCallbacks, { topic, reason }: Step, socket: Socket): Awaitable<EncodedReply> {
  const member = membersOf(socket).get(topic)
  if (member === undefined) return NO_REPLY
  membersOf(socket).delete(topic)
  member.isOver = true
  return then(channel.leave?.(reason, member), () => NO_REPLY)
}

/** The members of each connection, by topic; also those whose join is not decided yet. */
const members = new WeakMap<Socket, Map<string, Member>>()

function membersOf(socket: Socket): Map<string, Member> {
  let ofSocket = members.get(socket)
  if (ofSocket === undefined) members.set(socket, (ofSocket = new Map()))
  return ofSocket
}

/** A client on a topic that asks its host for everything. */
export class Member implements ChannelSocket {
  readonly topic: string
  ref: string | number | null
  assigns: Record<string, any> = {}
  /** The client has left, or was not let in; what is said on its behalf goes nowhere. */
  isOver = false
  /** The call of its join. */
  readonly call: number
  /** The client was let in, so that it will leave. */
  isIn = false
  readonly channel: ChannelCallbacks
  readonly #host: Host
  readonly #socket: Socket

  constructor(host: Host, socket: Socket, call: number, step: Step, channel: ChannelCallbacks) {
    this.#host = host
    this.#socket = socket
    this.call = call
    this.topic = step.topic
    this.channel = channel
    this.ref = step.ref
  }

  get connection(): WebSocketConnection {
    return this.#socket.connection
  }

  push(event: string, payload?: unknown): void {
    this.#command('push', { event: name(event, 'push: event'), payload: inCommand(payload) })
  }

  broadcast(event: string, payload?: unknown): void {
    this.#tell(undefined, 'broadcast', { event: name(event, 'broadcast: event'), payload: inCommand(payload) })
  }

  broadcastFrom(event: string, payload?: unknown): void {
    // A client that has left would not receive it anyway.
    if (this.isOver) return this.broadcast(event, payload)
    this.#command('broadcastFrom', { event: name(event, 'broadcastFrom: event'), payload: inCommand(payload) })
  }

  reply(ref: string | number | null, reply: { ok: unknown } | { error: unknown }): void {
    if (ref !== null && typeof ref !== 'string' && typeof ref !== 'number') {
      throw new TypeError(`reply: expected the ref of a message, as socket.ref had it, got ${shapeOf(ref)}`)
    }
    const { status, response } = statusOf(reply)
    if (status === ReplyStatus.None) throw new TypeError(`reply: expected { ok: … } or { error: … }, got ${shapeOf(reply)}`)
    this.#command('reply', { ref, status: status === ReplyStatus.Ok ? 'ok' : 'error', response: inCommand(response) })
  }

  track(key: string, meta?: Record<string, unknown> | null): void {
    this.#command('track', { key: name(key, 'track: key'), meta: optionsOf(meta, 'track: meta', "{ status: 'away' }") })
  }

  untrack(key?: string | null): void {
    this.#command('untrack', key === undefined || key === null ? {} : { key: name(key, 'untrack: key') })
  }

  pushPresenceState(): void {
    this.#command('presenceState', {})
  }

  stop(options?: { error?: boolean | null } | null): void {
    const { error } = optionsOf(options, 'stop', '{ error: true }')
    this.#command('stop', { error: flag(error, 'stop: error') })
  }

  #command(name: string, fields: object): void {
    if (!this.isOver && !this.connection.closed) this.#tell(this.#socket, name, fields)
  }

  #tell(id: Socket | undefined, name: string, fields: object): void {
    try {
      this.#host.routes.command(this.#socket.route, id, name, { topic: this.topic, ...fields })
    } catch (error) {
      // It may be called long after the function is over, where nothing would catch an error.
      this.#host.log.write('warn', `${name} on ${this.topic}: ${errorText(error)}`)
    }
  }
}

/** What a client sent: JSON, or bytes. */
function payloadOf({ payload }: Call, { broadcast }: Step): unknown {
  if (typeof payload === 'string') return JSON.parse(payload)
  return broadcast === null ? payload : { type: 'broadcast', event: broadcast, payload }
}

function encodeReply(reply: ChannelReply): EncodedReply {
  const { status, response, stops } = statusOf(reply)
  if (status === ReplyStatus.None) return { status, response: undefined, stops }
  const bytes = bytesOf(response)
  if (bytes !== undefined) return { status, response: bytes, stops }
  const text: string | undefined = JSON.stringify(response ?? {})
  if (text === undefined) throw new TypeError(`a channel replies with JSON or bytes, not with ${shapeOf(response)}`)
  return { status, response: text, stops }
}

function statusOf(reply: ChannelReply): { status: number; response: unknown; stops: boolean } {
  if (reply === undefined || reply === null) return { ...NO_REPLY }
  if (typeof reply === 'object') {
    const stops = 'stop' in reply && reply.stop === true
    if ('ok' in reply) return { status: ReplyStatus.Ok, response: reply.ok, stops }
    if ('error' in reply) return { status: ReplyStatus.Error, response: reply.error, stops }
    if (stops) return { ...NO_REPLY, stops }
  }
  throw new TypeError('a channel answers { ok: … }, { error: … }, { stop: true } or nothing')
}

function bytesOf(payload: unknown): Uint8Array | undefined {
  if (payload instanceof ArrayBuffer) return new Uint8Array(payload)
  if (!ArrayBuffer.isView(payload)) return undefined
  return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)
}

/** A payload as a command's JSON has it. */
function inCommand(payload: unknown): unknown {
  const bytes = bytesOf(payload)
  if (bytes === undefined) return payload ?? {}
  return { $binary: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') }
}

/** Goes on at once where there is nothing to await. */
function then<T, R>(value: Awaitable<T>, next: (value: T) => R): Awaitable<R> {
  return isThenable(value) ? Promise.resolve(value as PromiseLike<T>).then(next) : next(value as T)
}
