/**
 * What a function comes to after its time is over. The engine no longer waits for it, and the message behind it may be at
 * work before its host has told of that.
 */

import { setImmediate } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { Hooks } from '../src/callbacks/hooks.js'
import type { RouteCallbacks } from '../src/config/setup.js'
import type { Host } from '../src/connection/host.js'
import type { Socket } from '../src/connection/socket.js'
import type { Call } from '../src/engine/actor.js'
import { Hook } from '../src/engine/contract.js'
import { signal } from './support/server.js'

/** The functions of one route for one connection, with a host that takes every answer. */
function hooksOf(callbacks: Partial<RouteCallbacks>) {
  const ignore = (): void => {}
  const host = { done: ignore, answer: ignore, answerWith: ignore } as unknown as Host
  const hooks = new Hooks(host, [{ parse: 'text', responses: [], ...callbacks } as RouteCallbacks])
  const socket = { path: '/', connection: {}, calls: 0, messageCall: 0 } as unknown as Socket
  const run = (call: number, hook: number, payload?: string): boolean =>
    hooks.run({ call, hook, payload, route: 0 } as Call, socket)
  return { hooks, socket, run }
}

test('what transformRawData made of a message too late is not the next message', async () => {
  const late = signal()
  const heard: unknown[] = []
  const { run } = hooksOf({
    transformRawData: async (raw) => {
      if (raw.toString() === 'first') await late.promise
      return `${raw} made`
    },
    onMessage: (_, message) => void heard.push(message),
  })
  expect(run(1, Hook.Transform, 'first')).toBe(true)
  run(2, Hook.Transform, 'second')
  await setImmediate()
  late.resolve()
  await setImmediate()
  run(3, Hook.Message)
  expect(heard).toEqual(['second made'])
})

test('a response that came too late does not take the next message away', async () => {
  const late = signal()
  const heard: unknown[] = []
  const { run } = hooksOf({
    responses: [
      {
        match: (_, message) => message === 'first',
        response: async () => {
          await late.promise
          return 'answer'
        },
      },
    ],
    onMessage: (_, message) => void heard.push(message),
  })
  expect(run(1, Hook.Respond, 'first')).toBe(true)
  expect(run(2, Hook.Respond, 'second')).toBe(false)
  late.resolve()
  await setImmediate()
  run(3, Hook.Message)
  expect(heard).toEqual(['second'])
})

test('a function whose call was cancelled changes nothing any more', async () => {
  const late = signal()
  const { hooks, socket, run } = hooksOf({ transformRawData: () => late.promise.then(() => 'late') })
  run(1, Hook.Transform, 'first')
  expect([...hooks.pending()]).toHaveLength(1)
  hooks.cancel(1)
  late.resolve()
  await setImmediate()
  expect([socket.message, socket.calls, [...hooks.pending()]]).toEqual([undefined, 0, []])
})
