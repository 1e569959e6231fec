/** Breakpoints and paused reading, over real sockets. */

import { expect, test } from 'vitest'
import type { WebSocketConnection } from 'vite-plugin-switchboard'
import { connect as control, type ControlClient } from 'vite-plugin-switchboard/control'

import { type Client, connect } from './support/client.js'
import { serve } from './support/server.js'

const echo = { pattern: '/echo', onMessage: (conn: WebSocketConnection, message: unknown) => conn.send(message) }

async function start(): Promise<{ client: Client; server: ControlClient }> {
  const running = await serve([echo] as never, { control: { token: 'a long token' } })
  const server = await control(`http://127.0.0.1:${running.port}`, { token: 'a long token' })
  return { client: await connect(running.url('/api/echo')), server }
}

async function ponged(client: Client): Promise<void> {
  const pong = new Promise((resolve) => client.socket.once('pong', resolve))
  client.socket.ping()
  await pong
}

test('messages are held, edited and dropped', async () => {
  const { client, server } = await start()
  const events = await server.events({ kinds: ['held', 'released'] })
  const { id } = await server.addBreakpoint({ route: '/echo', direction: 'in', expression: '^bid' })
  for (const text of ['first', 'bid 1', 'bid 2', 'last']) client.send(text)
  expect(await client.next()).toBe('first')
  // Pings do not wait for what is held.
  await ponged(client)
  const { held, breakpoints } = await server.breakpoints()
  expect(held).toMatchObject([{ breakpoint: id, text: 'bid 1', path: '/api/echo' }, { text: 'bid 2', direction: 'in' }])
  expect(breakpoints).toMatchObject([{ id, caught: 2, missed: 0, timeout: 60_000, persist: false }])
  expect(await server.held(held[0]!.id)).toEqual(held[0])
  await server.decideHeld(held[0]!.id, { action: 'drop' })
  await server.decideHeld(held[1]!.id, { action: 'pass', json: { bid: 3 } })
  expect([await client.next(), await client.next()]).toEqual(['{"bid":3}', 'last'])
  const told = []
  for (let count = 0; count < 4; count++) told.push((await events.next()).value)
  expect(told).toMatchObject([{ type: 'held' }, { type: 'held' }, { type: 'released', how: 'dropped' }, { type: 'released', how: 'edited', text: '{"bid":3}' }])
  expect(await server.removeBreakpoints(id)).toEqual({ count: 1 })
  await expect(server.removeBreakpoints(id)).rejects.toThrow(/there is no breakpoint/)
  events.close()
})

test('what is held for clients goes on when the breakpoint is taken back', async () => {
  const { client, server } = await start()
  await server.addBreakpoint({ route: '/echo', direction: 'out', persist: true })
  client.send('one')
  client.send(new Uint8Array([1, 2]))
  await expect.poll(async () => (await server.breakpoints()).held.length).toBe(2)
  expect((await server.breakpoints()).held[1]).toMatchObject({ binary: 'AQI=', size: 2, isCut: false })
  await server.removeBreakpoints()
  expect([await client.next(), await client.next()]).toEqual(['one', Buffer.from([1, 2])])
})

test('a client is not read until it is resumed', async () => {
  const { client, server } = await start()
  const { id } = (await server.connections()).connections[0]!
  expect(await server.pause({ connection: id })).toEqual({ count: 1 })
  client.send('unread')
  // The other direction goes on.
  await server.send(id, 'from the server')
  expect(await client.next()).toBe('from the server')
  expect(await server.connection(id)).toMatchObject({ isReadingPaused: true, heldMessages: 0, waitingBytes: 0 })
  expect(await server.resume({ route: '/echo' })).toEqual({ count: 1 })
  expect(await client.next()).toBe('unread')
})
