/** A clock that only moves when it is told to: `clock: 'manual'`. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterEach, expect, test, vi } from 'vitest'
import { createSwitchboard, type SwitchboardOptions } from 'vite-plugin-switchboard'

import { duration } from '../src/values/duration.js'
import { connect } from './support/client.js'
import { atEnd, serve } from './support/server.js'

afterEach(() => void vi.useRealTimers())

const MANUAL: SwitchboardOptions = { clock: 'manual' }

test('a heartbeat pings when its time has come, and never by itself', async () => {
  const { switchboard, url } = await serve({ pattern: '/beat', heartbeat: 30_000 }, MANUAL)
  const client = await connect(url('/api/beat'))
  let pings = 0
  client.socket.on('ping', () => pings++)
  await switchboard.clock.advance(29_999)
  expect(pings).toBe(0)
  await switchboard.clock.advance(1)
  expect(pings).toBe(1)
  // The client answers each: after three without a pong it would be closed.
  await switchboard.clock.advance('10m')
  expect(pings).toBe(21)
  expect(client.socket.readyState).toBe(client.socket.OPEN)
})

test('a client that does not answer pings is closed after the third', async () => {
  const { switchboard, url } = await serve({ pattern: '/beat', heartbeat: 1000 }, MANUAL)
  const client = await connect(url('/api/beat'), { autoPong: false })
  await switchboard.clock.advance(3000)
  expect(client.socket.readyState).toBe(client.socket.OPEN)
  await switchboard.clock.advance(1000)
  await client.ended
})

test('timers run in exact order, each after what the one before has started', async () => {
  const order: string[] = []
  const { switchboard, url } = await serve(
    [100, 300, 200].map((delay) => ({
      pattern: `/${delay}`,
      delay,
      onMessage: async () => {
        order.push(`${delay} begins at ${switchboard.clock.now - start}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
        order.push(`${delay} ends at ${switchboard.clock.now - start}`)
      },
    })),
    MANUAL,
  )
  const start = switchboard.clock.now
  for (const path of ['/300', '/100', '/200']) (await connect(url(`/api${path}`))).send('hello')
  await switchboard.clock.advance('1s')
  expect(order).toEqual([100, 200, 300].flatMap((at) => [`${at} begins at ${at}`, `${at} ends at ${at}`]))
  expect(switchboard.clock.now - start).toBe(1000)
})

test('a callback that never ends holds up nothing', async () => {
  const { switchboard, url } = await serve(
    [
      { pattern: '/stuck', delay: 10, onMessage: () => new Promise(() => {}) },
      { pattern: '/late', delay: 20, onMessage: (connection) => connection.send('late') },
    ],
    MANUAL,
  )
  const [stuck, late] = [await connect(url('/api/stuck')), await connect(url('/api/late'))]
  stuck.send('a')
  late.send('b')
  await switchboard.clock.advance(20)
  expect(await late.next()).toBe('late')
})

test('runNext moves to the next timer, and says how far', async () => {
  const { switchboard, url } = await serve({ pattern: '/slow', delay: 250, onMessage: (connection) => connection.send('done') }, MANUAL)
  const { clock } = switchboard
  const before = clock.now
  const client = await connect(url('/api/slow'))
  client.send('do it')
  expect(await clock.runNext()).toBe(250)
  expect(await client.next()).toBe('done')
  expect(clock.now).toBe(before + 250)
})

test('mock events come at their interval', async () => {
  const { switchboard, url } = await serve([], { ...MANUAL, routes: [{ pattern: '/events', events: [{ name: 'tick', interval: 5000, data: {} }] }] })
  const client = await connect(url('/events'))
  const start = switchboard.clock.now
  await switchboard.clock.advance('14s')
  const messages = client.rest.map((text) => JSON.parse(text as string) as { name?: string; timestamp: string })
  const times = messages.filter(({ name }) => name === 'tick').map(({ timestamp }) => Date.parse(timestamp) - start)
  expect(times).toEqual([5000, 10_000])
})

test('a target that is not there is tried again at the times of the retries', async () => {
  const { switchboard } = await serve([], {
    ...MANUAL,
    feeds: [{ name: 'far', upstream: { url: 'ws://127.0.0.1:9' } } as never],
    routes: [{ pattern: '/echo', dialect: 'echo' }],
  })
  const dials: (number | undefined)[] = []
  for (let count = 0; count < 4; count++) dials.push(await switchboard.clock.runNext())
  expect(dials.every((ms) => ms !== undefined && ms > 0)).toBe(true)
  expect(dials[3]!).toBeGreaterThan(dials[0]!)
})

test('what waits for real time says so', async () => {
  const { switchboard } = await serve({ pattern: '/a' })
  expect(switchboard.clock.isManual).toBe(false)
  await expect(switchboard.clock.advance(1)).rejects.toThrow(
    "clock.advance: this clock shows real time; write clock: 'manual' in the options, or call clock.pause() before",
  )
  expect(() => createSwitchboard({ routes: [], clock: 'stopped' as 'manual' })).toThrow("clock: expected 'real' or 'manual', got 'stopped'")
  await using still = createSwitchboard({ routes: [], ...MANUAL })
  await expect(still.clock.advance('soon' as '1s')).rejects.toThrow("clock.advance: expected a time in ms, or text such as '30s' or '250ms', got \"soon\"")
  await expect(still.clock.advance(-1)).rejects.toThrow(RangeError)
  expect(await still.clock.runNext()).toBeUndefined()
})

test('time may stand still and pass by itself again', async () => {
  const { switchboard, url } = await serve({ pattern: '/slow', delay: 20, onMessage: (connection) => connection.send('done') })
  const { clock } = switchboard
  const client = await connect(url('/api/slow'))
  clock.pause()
  const stood = clock.now
  await clock.advance('1h')
  expect(clock.now).toBe(stood + 3_600_000)
  client.send('do it')
  clock.resume()
  expect(await client.next()).toBe('done')
  expect(clock.now).toBeGreaterThan(stood + 3_600_000)
})

test('calls queue up', async () => {
  await using switchboard = createSwitchboard({ routes: [], ...MANUAL })
  const start = switchboard.clock.now
  await Promise.all([switchboard.clock.advance(10), switchboard.clock.advance(20)])
  expect(switchboard.clock.now).toBe(start + 30)
})

test('it runs beside fake timers, which are of the code under test', async () => {
  vi.useFakeTimers()
  const answers: string[] = []
  const server = createServer()
  const switchboard = createSwitchboard({
    ...MANUAL,
    routes: [{ pattern: '/slow', delay: 1000, heartbeat: 5000, onMessage: (connection) => connection.send('done') }],
  })
  server.on('upgrade', switchboard.upgrade)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(async () => {
    await switchboard.close({ grace: 0 })
    server.close()
  })
  const client = await connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/slow`)
  client.socket.on('message', (data) => answers.push(String(data)))
  let fired = false
  setTimeout(() => (fired = true), 1000)
  client.send('do it')
  await switchboard.clock.advance(1000)
  await client.next()
  expect(answers).toEqual(['done'])
  expect(fired).toBe(false)
  await vi.advanceTimersByTimeAsync(1000)
  expect(fired).toBe(true)
})

test('spans of time', () => {
  expect(['250ms', '30s', '5m', '1.5h', 12, 0.2].map((value) => duration(value, 'it'))).toEqual([250, 30_000, 300_000, 5_400_000, 12, 1])
  for (const wrong of ['', '30', '30 days', NaN, null, {}]) expect(() => duration(wrong, 'it')).toThrow(TypeError)
})
