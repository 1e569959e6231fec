/** Functions that look at what passes a proxy. */

import type { Awaitable } from '../config/handler.js'
import { shapeOf } from '../connection/arguments.js'
import type { WebSocketConnection } from '../connection/connection.js'

/**
 * Looks at a message: text as text, bytes as a `Buffer`. `false` drops it, text or bytes go on instead of it, and
 * nothing leaves it as it is. If it throws, the message is dropped. Messages wait for it, in their order.
 */
export type ProxyInspector = (
  message: string | Buffer,
  connection: WebSocketConnection,
) => Awaitable<void | undefined | null | true | false | string | Uint8Array>

/** One server that a proxy connects clients to. */
export interface ProxyTarget {
  /** `ws://` or `wss://`; here and below, `${NAME}` stands for a variable of the environment. */
  url: string
  /** Headers for its opening handshake. Default `{}`. */
  headers?: Record<string, string>
  /** What it wants to see before it lets anybody in. Default: nothing. */
  auth?:
    | { type: 'bearer'; token: string }
    | { type: 'basic'; username: string; password: string }
    | { type: 'apikey'; header?: string; value: string }
}

/** The settings of the dialect `proxy`: one target, or several by name. */
export interface ProxyOptions extends Partial<ProxyTarget> {
  /** Targets by the name with which the part of the path that `**` stands for begins. Default: the one `url`. */
  targets?: Record<string, string | ProxyTarget>
  /** Whether clients are told when the target has answered, and why it failed. Default: with `targets`. */
  announce?: boolean
  /** Headers of the client's opening handshake to pass on, such as `cookie`. Default `[]`. */
  forward?: string[]
  /**
   * Who answers a client's opening handshake. `target`: the client waits for its target's answer and gets its
   * subprotocol or its HTTP status (502 if it cannot be reached, 504 if it does not answer), and an end without a close
   * frame is one to the other side too. `proxy`: at once; what the client says waits, and what fails is 1011.
   * Default: `proxy` with `announce`, otherwise `target`.
   */
  handshake?: 'target' | 'proxy'
  /** Ms that a target may take to answer. Default `10000`. */
  timeout?: number
  /** Ms in which a target has to take a message of what waits for it; then its client is closed with 1011. Default `30000`. */
  sendTimeout?: number
  /** From how many bytes on that wait for the target nothing more is taken from the client. Default 1 MiB. */
  maxWaiting?: number
  /** Looks at each message from the client. Default: they pass. */
  onClientMessage?: ProxyInspector
  /** Looks at each message from the target. Default: they pass. */
  onTargetMessage?: ProxyInspector
}

const INSPECTORS = ['onClientMessage', 'onTargetMessage'] as const

/** What looks at the messages of a proxy. */
export interface ProxyInspectors {
  onClientMessage?: ProxyInspector
  onTargetMessage?: ProxyInspector
}

/** Separates a proxy's functions from what the engine is told. */
export function separateProxy(options: unknown, label: string): { inspectors: ProxyInspectors; data: unknown } {
  const inspectors: ProxyInspectors = {}
  if (typeof options !== 'object' || options === null) return { inspectors, data: options }
  const data: Record<string, unknown> = { ...options }
  for (const name of INSPECTORS) {
    const inspector = data[name]
    delete data[name]
    if (inspector === undefined || inspector === null) continue
    if (typeof inspector !== 'function') {
      throw new Error(`${label}.proxy.${name}: expected a function, got ${shapeOf(inspector)}`)
    }
    inspectors[name] = inspector as ProxyInspector
  }
  return { inspectors, data }
}

/** What passes after a function has looked: the message as it is, nothing, or something else. */
export function passed(verdict: unknown): 'as it is' | undefined | { message: string | Uint8Array } {
  if (verdict === undefined || verdict === null || verdict === true) return 'as it is'
  if (verdict === false) return undefined
  if (typeof verdict === 'string' || verdict instanceof Uint8Array) return { message: verdict }
  throw new TypeError('a message of a proxy becomes text, bytes, false for none, or nothing for itself')
}
