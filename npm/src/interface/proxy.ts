/** The options of the dialect `proxy`. */

import type { Awaitable } from './awaitable.js'
import type { WebSocketConnection } from './connection.js'

/**
 * Gets a message: text as text, bytes as a `Buffer`. If it returns `false`, the message is dropped; text or bytes replace
 * it; with nothing it is passed on as it is. If it throws, the message is dropped. Messages wait for it, in order.
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
  /** The credentials that it demands. Default: none. */
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
   * subprotocol or its HTTP status (502 if it cannot be reached, 504 if it does not answer); when one side ends without a
   * close frame, so does the other. `proxy`: at once; the client's messages wait, and a failure closes it with 1011.
   * Default: `proxy` with `announce`, otherwise `target`.
   */
  handshake?: 'target' | 'proxy'
  /** Ms that a target may take to answer. Default `10000`. */
  timeout?: number
  /** Ms for which a target may take none of the messages that wait for it; then its client is closed with 1011. Default `30000`. */
  sendTimeout?: number
  /** How many bytes may wait for the target before nothing more is taken from the client. Default 1 MiB. */
  maxWaiting?: number
  /** Looks at each message from the client. Default: they pass. */
  onClientMessage?: ProxyInspector
  /** Looks at each message from the target. Default: they pass. */
  onTargetMessage?: ProxyInspector
}
