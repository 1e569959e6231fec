/** The options of the dialect `proxy`. */

import type { Awaitable } from './awaitable.js'
import type { ProxyTable } from './configuration.js'
import type { WebSocketConnection } from './connection.js'

/**
 * Gets a message: text as text, bytes as a `Buffer`. If it returns `false`, the message is dropped; text or bytes replace
 * it; with nothing it is passed on as it is. If it throws, the message is dropped. Messages wait for it, in order.
 */
export type ProxyInspector = (
  message: string | Buffer,
  connection: WebSocketConnection,
) => Awaitable<void | undefined | null | true | false | string | Uint8Array>

/** The settings of the dialect `proxy`: one target, or several by name. */
export interface ProxyOptions extends ProxyTable {
  /** Looks at each message from the client. Default: they pass. */
  onClientMessage?: ProxyInspector
  /** Looks at each message from the target. Default: they pass. */
  onTargetMessage?: ProxyInspector
}
