/** Phoenix channels with functions: separates these from the data for the engine. */

import type { ChannelCallbacks, PhoenixOptions } from '../interface/phoenix.js'
import { shapeOf } from '../values/arguments.js'

const FUNCTIONS = ['join', 'handleIn', 'leave'] as const

/** Whether a channel is one with functions. */
function isCallbacks(channel: object): channel is ChannelCallbacks {
  const { join, handleIn, leave } = channel as ChannelCallbacks
  return typeof join === 'function' || isGiven(handleIn) || isGiven(leave)
}

/** Separates the channels' functions, by topic, from what the engine is told. */
export function separateChannels(options: unknown, label: string): { functions: Map<string, ChannelCallbacks>; data: unknown } {
  const functions = new Map<string, ChannelCallbacks>()
  const channels = (options as PhoenixOptions | undefined)?.channels
  if (!Array.isArray(channels)) return { functions, data: options }
  const data = channels.map((channel, index) => {
    if (typeof channel !== 'object' || channel === null || !isCallbacks(channel)) return channel
    const other = Object.keys(channel).find((key) => key !== 'topic' && !(FUNCTIONS as readonly string[]).includes(key))
    const where = `${label}.phoenix.channels[${index}]`
    if (other !== undefined) throw new Error(`${where}.${other}: means nothing beside functions; do it in join or handleIn`)
    check(channel, where)
    if (!functions.has(channel.topic)) functions.set(channel.topic, channel)
    return { topic: channel.topic, callbacks: true }
  })
  return { functions, data: functions.size === 0 ? options : { ...(options as object), channels: data } }
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
