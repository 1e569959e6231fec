/** The options of the dialect `phoenix`, and what functions of a channel get and return. */

import type { Awaitable } from './awaitable.js'
import type { ChannelOptions, ToggleKillmailsOptions, ToggleRealtimeOptions } from './configuration.js'
import type { WebSocketConnection } from './connection.js'

/** The settings of the dialect `phoenix`. Topics are looked for in `killmails`, `realtime` and `channels`, in this order. */
export interface PhoenixOptions {
  /** Ms without any frame of the client after which it is closed with 1000. Default `45000`. */
  timeout?: number | false
  /** The killmail channel: `true`, or its settings. Default `false`. */
  killmails?: ToggleKillmailsOptions
  /** The channel for clients of Supabase Realtime: `true`, or its settings. Default `false`. */
  realtime?: ToggleRealtimeOptions
  /** Any other channels, with functions or as data. The first one whose topic matches counts. Default `[]`. */
  channels?: (ChannelCallbacks | DeclaredChannel)[]
}

/** A channel without functions: it passes what a client sends to the others. */
export type DeclaredChannel = Omit<ChannelOptions, 'callbacks'>

/** How a client's time on a topic ended; `replaced`: it joins again, `crashed`: a function threw. */
export type LeaveReason = 'left' | 'replaced' | 'stopped' | 'crashed' | 'closed'

/**
 * The result of a function for a client's message. Nothing: no reply, or for a join, `ok` with `{}`. `ok` or `error`: a
 * reply with that response, which may be bytes; an `error` refuses a join. `stop`: the channel ends for this client,
 * after the reply if there is one.
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
  /** The client is no longer on the topic; called once for every join that was accepted. Default: nothing. */
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
