/** The options of the dialect `commands`. */

import type { Awaitable } from './awaitable.js'
import type { CommandsOptions as Configured } from './configuration.js'

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
export interface CommandsOptions extends Omit<Configured, 'events' | 'session'> {
  /** Users by their session cookie. Default: none. */
  session?: { cookie: string; users: Record<string, { name?: string; email?: string }> }
  /** Functions for the server's events. */
  on?: CommandsEvents
}
