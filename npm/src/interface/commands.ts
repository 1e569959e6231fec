/** The options of the dialect `commands`. */

import type { Awaitable } from './awaitable.js'

/** A connected client. */
export interface CommandsClient {
  /** The id that others know. */
  id: string
  /** From authentication or the session. Default `'Guest'`. */
  name: string
  /** From authentication or the session, if it is known. */
  email: string | null
}

/** Functions for the server's events. Messages of one client wait for them, in order. */
export interface CommandsEvents {
  /** The server started. */
  start?: () => Awaitable<void>
  /** A client has connected. */
  connect?: (client: CommandsClient) => Awaitable<void>
  /** A client has disconnected. */
  disconnect?: (clientId: string) => Awaitable<void>
  /** A text message came. */
  receive?: (clientId: string, message: string) => Awaitable<void>
  /** A message is sent: to one client, to a channel, or without either to everyone. */
  send?: (message: string, audience: { to?: string; channel?: string }) => Awaitable<void>
  /** Something failed, such as one of these functions. */
  crash?: (error: Error, clientId: string) => Awaitable<void>
}

/** The settings of the dialect `commands`. */
export interface CommandsOptions {
  /** `seed`: all frames are JSON, as Rakit documents. `compat`: as its server sends them. Default `'seed'`. */
  profile?: 'seed' | 'compat'
  /** The shape of `users` in presence. Default: as the profile has it. */
  presence?: 'array' | 'map'
  /** Who may use commands. Default `'everyone'`, as in Rakit. */
  commands?: 'everyone' | 'nobody' | 'authenticated'
  /** Who of these may close the connections of others; their own may all. Default `'authenticated'`; in Rakit everyone may. */
  disconnect?: 'everyone' | 'nobody' | 'authenticated'
  /** Seconds of silence after which a client is closed. Default `0`: never. */
  pingTimeout?: number
  /** Whether an `Origin` is required. Default `false`. */
  originRequired?: boolean
  /** Whether one of the route's subprotocols is required. Default `false`. */
  protocolRequired?: boolean
  /** Whether an extension is required. Default `false`. */
  extensionsRequired?: boolean
  /** The values of `Host` that are served. Default: all. */
  allowedHosts?: string[]
  /** Users by their session cookie. Default: none. */
  session?: { cookie: string; users: Record<string, { name?: string; email?: string }> }
  /** Functions for the server's events. */
  on?: CommandsEvents
}
