/** Phoenix channels whose behaviour is the user's functions. */

import { isThenable } from '../callbacks/payload.js'
import type { Awaitable } from '../config/handler.js'
import type { CustomHook } from '../config/setup.js'
import { flag, name, optionsOf, shapeOf } from '../connection/arguments.js'
import type { WebSocketConnection } from '../connection/connection.js'
import type { Socket } from '../connection/socket.js'
import type { Host } from '../host/host.js'
import { describe } from '../host/logger.js'

/** The settings of the dialect `phoenix`. Topics are looked for in `killmails`, `realtime` and `channels`, in this order. */
export interface PhoenixOptions {
  /** Ms without any frame of the client after which it is closed with 1000. Default `45000`. */
  timeout?: number | false
  /** The killmail channel: `true`, or how it is to be. Default `false`. */
  killmails?: boolean | object
  /** The channel that Supabase Realtime's clients speak to: `true`, or how it is to be. Default `false`. */
  realtime?: boolean | object
  /** Any other channels, with functions or as data. The first one whose topic matches counts. Default `[]`. */
  channels?: (ChannelCallbacks | DeclaredChannel)[]
}

/** A channel without functions: it passes what a client sends to the others. */
export interface DeclaredChannel {
  /** Its topics: one, or `room:*` for all that begin so. */
  topic: string
  /** The response to a join. Default `{}`. */
  join?: object
  /** What is pushed to a client after it has joined. Default `[]`. */
  pushes?: { event: string; payload?: unknown }[]
  /** Responses by event: such an event is answered with it and goes to nobody else. Default `{}`. */
  replies?: Record<string, unknown>
  /** Whether the sender hears its own events too. Default `false`. */
  echo?: boolean
  /** Whether clients are told who is there: `true`, or by which key. Default `false`. */
  presence?: boolean | { key?: string }
  /** The feed whose values go to everyone on the topics. Default: none. */
  feed?: string
  /** The event that carries them. Default `'update'`. */
  feedEvent?: string
}

/** How a client's time on a topic ended; `replaced`: it joins again, `crashed`: a function threw. */
export type LeaveReason = 'left' | 'replaced' | 'stopped' | 'crashed' | 'closed'

/**
 * What a client's message comes to. Nothing: no reply; to a join, `ok` with `{}`. `ok` or `error`: a reply with that
 * response, bytes allowed; an `error` refuses a join. `stop`: the channel ends for this client, after the reply if
 * there is one.
 */
export type ChannelReply = void | undefined | null | { ok: unknown; stop?: boolean } | { error: unknown; stop?: boolean } | { stop: true }

/** Answers one event. */
export type ChannelEvent = (payload: any, socket: ChannelSocket) => Awaitable<ChannelReply>

/**
 * A channel. The functions of one client are awaited one after another. One that throws costs the client this channel:
 * a join is refused, a channel that was joined ends with `phx_error`, after which Phoenix's clients join again.
 */
export interface ChannelCallbacks {
  /** Its topics: one, or `room:*` for all that begin so. */
  topic: string
  /**
   * A client wants to join. What is pushed meanwhile comes after the reply. Default: everyone may, and is answered
   * `{}`.
   */
  join?: ChannelEvent
  /**
   * The client sent an event: functions by event, or one for all. An event without a function is answered with the
   * error `unmatched event`. Default `{}`.
   */
  handleIn?: Record<string, ChannelEvent> | ((event: string, payload: any, socket: ChannelSocket) => Awaitable<ChannelReply>)
  /** The client is no longer on the topic; called once for every join that was let in. Default: nothing. */
  leave?: (reason: LeaveReason, socket: ChannelSocket) => unknown
}

/** A client on a topic, from its join to its leave. Payloads are JSON, or bytes, which come as a `Buffer`. */
export interface ChannelSocket {
  /** The client's connection, the same on all its topics. */
  readonly connection: WebSocketConnection
  /** The topic that it joined. */
  readonly topic: string
  /** A place for your own data on this topic. Default `{}`. */
  assigns: Record<string, any>
  /** Names the message in work, for a `reply` when its function is long over. */
  readonly ref: string | number | null
  /** Sends an event to this client. */
  push(event: string, payload?: unknown): void
  /** Sends an event to everyone on the topic, this client included. */
  broadcast(event: string, payload?: unknown): void
  /** Sends an event to everyone else on the topic. */
  broadcastFrom(event: string, payload?: unknown): void
  /** Answers a message that its function has not answered. */
  reply(ref: string | number | null, reply: { ok: unknown } | { error: unknown }): void
  /** Makes this client present under `key`, or changes its `meta`, and tells everyone on the topic. */
  track(key: string, meta?: Record<string, unknown> | null): void
  /** Makes this client absent under `key`, or under every key, and tells everyone on the topic. */
  untrack(key?: string | null): void
  /** Tells this client who is present. */
  pushPresenceState(): void
  /** Ends the channel for this client; with `error` as if it had crashed. */
  stop(options?: { error?: boolean | null } | null): void
}

const FUNCTIONS = ['join', 'handleIn', 'leave'] as const

/** Whether a channel is one with functions. */
function isCallbacks(channel: object): channel is ChannelCallbacks {
  const { join, handleIn, leave } = channel as ChannelCallbacks
  return typeof join === 'function' || isGiven(handleIn) || isGiven(leave)
}

/** Separates the channels' functions from what the engine is told: hooks by name, which topics have them, and data. */
export function separateChannels(
  options: unknown,
  label: string,
): { hooks: Record<string, CustomHook>; topics: string[]; data: unknown } {
  const channels = (options as PhoenixOptions | undefined)?.channels
  if (!Array.isArray(channels)) return { hooks: {}, topics: [], data: options }
  const byTopic = new Map<string, ChannelCallbacks>()
  const data = channels.map((channel, index) => {
    if (typeof channel !== 'object' || channel === null || !isCallbacks(channel)) return channel
    const other = Object.keys(channel).find((key) => key !== 'topic' && !(FUNCTIONS as readonly string[]).includes(key))
    const where = `${label}.phoenix.channels[${index}]`
    if (other !== undefined) throw new Error(`${where}.${other}: means nothing beside functions; do it in join or handleIn`)
    check(channel, where)
    if (!byTopic.has(channel.topic)) byTopic.set(channel.topic, channel)
    return { topic: channel.topic, callbacks: true }
  })
  if (byTopic.size === 0) return { hooks: {}, topics: [], data: options }
  const hook =
    (run: (channel: ChannelCallbacks, call: ChannelCall, socket: Socket, host: Host) => unknown): CustomHook =>
    (payload, socket, host) => {
      const call = payload as ChannelCall
      return run(byTopic.get(call.channel)!, call, socket, host)
    }
  return {
    hooks: { join: hook(join), handleIn: hook(handleIn), leave: hook(leave) },
    topics: [...byTopic.keys()],
    data: { ...(options as object), channels: data },
  }
}

/** What the engine says of a call; which fields there are depends on the hook. */
interface ChannelCall {
  channel: string
  topic: string
  event: string
  payload: unknown
  ref: string | number | null
  reason: LeaveReason
}

/** `null` is as if nothing were written. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function check(channel: ChannelCallbacks, where: string): void {
  const expect = (key: string, value: unknown): void => {
    if (isGiven(value) && typeof value !== 'function') {
      throw new Error(`${where}.${key}: expected a function, got ${shapeOf(value)}`)
    }
  }
  expect('join', channel.join)
  expect('leave', channel.leave)
  if (typeof channel.handleIn !== 'object' || channel.handleIn === null) return expect('handleIn', channel.handleIn)
  for (const [event, answer] of Object.entries(channel.handleIn)) expect(`handleIn.${event}`, answer)
}

function join(channel: ChannelCallbacks, call: ChannelCall, socket: Socket, host: Host): unknown {
  const member = new Member(host, socket, call)
  socket.channels.set(call.topic, member)
  const refused = (): void => {
    member.isOver = true
    if (socket.channels.get(call.topic) === member) socket.channels.delete(call.topic)
  }
  const done = (reply: ChannelReply): object | null => {
    const encoded = encodeReply(reply)
    if (encoded?.status === 'error' || encoded?.stop) refused()
    return encoded
  }
  try {
    const answer = then(channel.join?.(decode(call.payload), member), done)
    if (isThenable(answer)) answer.then(undefined, refused)
    return answer
  } catch (error) {
    refused()
    throw error
  }
}

function handleIn(channel: ChannelCallbacks, call: ChannelCall, socket: Socket): unknown {
  const member = socket.channels.get(call.topic)
  if (member === undefined) return null
  member.ref = call.ref
  const payload = decode(call.payload)
  if (typeof channel.handleIn === 'function') return then(channel.handleIn(call.event, payload, member), encodeReply)
  const answer = Object.hasOwn(channel.handleIn ?? {}, call.event) ? channel.handleIn![call.event] : undefined
  if (!answer) return encodeReply({ error: { reason: 'unmatched event' } })
  return then(answer(payload, member), encodeReply)
}

function leave(channel: ChannelCallbacks, call: ChannelCall, socket: Socket): unknown {
  const member = socket.channels.get(call.topic)
  if (member === undefined) return null
  socket.channels.delete(call.topic)
  member.isOver = true
  return then(channel.leave?.(call.reason, member), () => null)
}

/** A client on a topic that asks its host for everything. */
export class Member implements ChannelSocket {
  readonly topic: string
  ref: string | number | null
  assigns: Record<string, any> = {}
  /** The client has left; what is said on its behalf goes nowhere. */
  isOver = false
  readonly #host: Host
  readonly #socket: Socket

  constructor(host: Host, socket: Socket, call: ChannelCall) {
    this.#host = host
    this.#socket = socket
    this.topic = call.topic
    this.ref = call.ref
  }

  get connection(): WebSocketConnection {
    return this.#socket.connection
  }

  push(event: string, payload?: unknown): void {
    this.#command('push', { event: name(event, 'push: event'), payload: encode(payload) })
  }

  broadcast(event: string, payload?: unknown): void {
    this.#tell(undefined, 'broadcast', { event: name(event, 'broadcast: event'), payload: encode(payload) })
  }

  broadcastFrom(event: string, payload?: unknown): void {
    // Who has left is not among those who would hear it.
    if (this.isOver) return this.broadcast(event, payload)
    this.#command('broadcastFrom', { event: name(event, 'broadcastFrom: event'), payload: encode(payload) })
  }

  reply(ref: string | number | null, reply: { ok: unknown } | { error: unknown }): void {
    if (ref !== null && typeof ref !== 'string' && typeof ref !== 'number') {
      throw new TypeError(`reply: expected the ref of a message, as socket.ref had it, got ${shapeOf(ref)}`)
    }
    const encoded = encodeReply(reply)
    if (encoded?.status === undefined) throw new TypeError(`reply: expected { ok: … } or { error: … }, got ${shapeOf(reply)}`)
    this.#command('reply', { ref, status: encoded.status, response: encoded.response })
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
      this.#host.dialectCommand(this.#socket.route, id, name, { topic: this.topic, ...fields })
    } catch (error) {
      // It may come long after the function is over, from where nobody catches it.
      this.#host.log.write('warn', `${name} on ${this.topic}: ${describe(error)}`)
    }
  }
}

function encodeReply(reply: ChannelReply): { status?: string; response?: unknown; stop?: boolean } | null {
  if (reply === undefined || reply === null) return null
  if (typeof reply === 'object') {
    const stop = 'stop' in reply && reply.stop === true
    if ('ok' in reply) return { status: 'ok', response: encode(reply.ok), stop }
    if ('error' in reply) return { status: 'error', response: encode(reply.error), stop }
    if (stop) return { stop }
  }
  throw new TypeError('a channel answers { ok: … }, { error: … }, { stop: true } or nothing')
}

/** Bytes stand in JSON as the engine wants them. */
function encode(payload: unknown): unknown {
  if (payload instanceof ArrayBuffer) return encode(new Uint8Array(payload))
  if (!ArrayBuffer.isView(payload)) return payload ?? {}
  const { buffer, byteOffset, byteLength } = payload
  return { $binary: Buffer.from(buffer, byteOffset, byteLength).toString('base64') }
}

function decode(payload: unknown): unknown {
  const bytes = (payload as { $binary?: unknown } | null)?.$binary
  return typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : payload
}

/** Goes on at once where there is nothing to await. */
function then<T, R>(value: Awaitable<T>, next: (value: T) => R): Awaitable<R> {
  return isThenable(value) ? Promise.resolve(value as PromiseLike<T>).then(next) : next(value as T)
}
