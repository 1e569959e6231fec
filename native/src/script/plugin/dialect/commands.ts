/** The functions for the server events of the dialect `commands`. */

import type { Socket } from '../connection/socket.js'
import type { Call } from '../engine/actor.js'
import { ServerEvent } from '../engine/contract.js'
import type { CommandsClient, CommandsEvents, CommandsOptions } from '../interface/commands.js'
import { shapeOf } from '../values/arguments.js'

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

/** The ids, as others know them, of those whose `connect` was told. */
const ids = new WeakMap<Socket, string>()

/** Tells the user's function of what happened. */
export function tellEvent(on: CommandsEvents, { detail, about, payload }: Call, socket: Socket): unknown {
  const subject: unknown = JSON.parse(about!)
  const message = payload as string
  switch (detail) {
    case ServerEvent.Connect:
      ids.set(socket, (subject as CommandsClient).id)
      return on.connect?.(subject as CommandsClient)
    case ServerEvent.Disconnect:
      ids.delete(socket)
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

/** The engine failed and tells nobody any more: somebody whose `connect` was told is gone. */
export function tellGone(on: CommandsEvents, socket: Socket): unknown {
  const id = ids.get(socket)
  ids.delete(socket)
  return id === undefined ? undefined : on.disconnect?.(id)
}
