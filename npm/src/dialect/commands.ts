/** The functions for the server events of the dialect `commands`. */

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
