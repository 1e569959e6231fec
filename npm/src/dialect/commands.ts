/** The dialect `commands`, and the functions that hear of its server's events. */

import type { Awaitable } from '../config/handler.js'
import { shapeOf } from '../connection/arguments.js'
import type { Call } from '../host/actor.js'
import { ServerEvent } from '../host/contract.js'

/** Somebody who is connected. */
export interface CommandsClient {
  /** The id that others know. */
  id: string
  /** From authentication or the session. Default `'Guest'`. */
  name: string
  /** From authentication or the session, if it is known. */
  email: string | null
}

/** What to do when something happens. Messages of one client wait for it, in their order. */
export interface CommandsEvents {
  /** The server started. */
  start?: () => Awaitable<void>
  /** Somebody came. */
  connect?: (client: CommandsClient) => Awaitable<void>
  /** Somebody went. */
  disconnect?: (clientId: string) => Awaitable<void>
  /** A text message came. */
  receive?: (clientId: string, message: string) => Awaitable<void>
  /** A message goes out: to one client, to a channel, or without either to everyone. */
  send?: (message: string, audience: { to?: string; channel?: string }) => Awaitable<void>
  /** Something failed, one of these functions for example. */
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
  /** What to do when something happens. */
  on?: CommandsEvents
}

const EVENTS = ['start', 'connect', 'disconnect', 'receive', 'send', 'crash'] as const

/** Separates the functions from what the engine is told: which events have one. */
export function separateCommands(options: unknown, label: string): { functions: CommandsEvents; events: string[]; data: unknown } {
  if (typeof options !== 'object' || options === null || !('on' in options)) return { functions: {}, events: [], data: options }
  const { on, ...data } = options as CommandsOptions
  const given = Object.entries(on ?? {}).filter(([, listener]) => listener !== undefined && listener !== null)
  for (const [name, listener] of given) {
    const where = `${label}.commands.on.${name}`
    if (!(EVENTS as readonly string[]).includes(name)) {
      throw new Error(`${where}: there is no such event; there are ${EVENTS.join(', ')}`)
    }
    if (typeof listener !== 'function') throw new Error(`${where}: expected a function, got ${shapeOf(listener)}`)
  }
  const events = given.map(([name]) => name).filter((name) => name !== 'start')
  return { functions: on ?? {}, events, data: { ...data, events } }
}

/** Tells the user's function of what happened. */
export function tellEvent(on: CommandsEvents, { detail, about, payload }: Call): unknown {
  const subject: unknown = JSON.parse(about!)
  const message = payload as string
  switch (detail) {
    case ServerEvent.Connect:
      return on.connect?.(subject as CommandsClient)
    case ServerEvent.Disconnect:
      return on.disconnect?.(subject as string)
    case ServerEvent.Receive:
      return on.receive?.(subject as string, message)
    case ServerEvent.Send: {
      const { to, channel } = subject as { to: string | null; channel: string | null }
      return on.send?.(message, { to: to ?? undefined, channel: channel ?? undefined })
    }
    case ServerEvent.Crash:
      return on.crash?.(new Error(message), subject as string)
    default:
      throw new Error(`this version of the plugin has no function for event ${detail}`)
  }
}
