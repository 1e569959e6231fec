/** Faults on purpose: from options, and while the server runs. */

import { connect as connectTcp } from 'node:net'

import { expect, test, vi } from 'vitest'
import { createSwitchboard, switchboard, type WebSocketConnection } from 'vite-plugin-switchboard'

import { type Client, connect, dial, handshake, raw, refusal } from './support/client.js'
import { serve, serveVite } from './support/server.js'

const echo = { onMessage: (conn: WebSocketConnection, message: unknown) => conn.send(message) }

/** What comes of messages that are sent one behind another. */
async function said(client: Client, count: number): Promise<unknown[]> {
  for (let number = 0; number < count; number++) client.send(String(number))
  const pong = new Promise((resolve) => client.socket.once('pong', resolve))
  client.socket.ping()
  await pong
  return client.rest.splice(0)
}

test('options declare them', async () => {
  const server = await serve({
    ...echo,
    pattern: '/chat',
    faults: [
      { on: 'open', refuse: 503, times: 1 },
      { on: 'send', loss: 0.5, seed: 1 },
    ],
  })
  expect(await refusal(server.url('/api/chat'))).toBe(503)
  // The same as in the golden transcripts: without a seed of the server's.
  const client = await connect(server.url('/api/chat'))
  expect(await said(client, 8)).toEqual(['2', '5'])
})

test('an opening handshake is left without an answer until its client goes', async () => {
  const server = await serve({ ...echo, pattern: '/chat', faults: [{ on: 'open', hang: true, times: 1 }] })
  const socket = connectTcp(server.port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString()))
  socket.write(handshake('/api/chat'))
  await vi.waitFor(() => expect(server.switchboard.stats().connections).toBe(1))
  // Another one that comes later is answered first.
  const other = await connect(server.url('/api/chat'))
  expect(await said(other, 1)).toEqual(['0'])
  expect(answer).toBe('')
  socket.destroy()
  await vi.waitFor(() => expect(server.switchboard.stats().connections).toBe(1))
})

test('they come and go while the server runs', async () => {
  const server = await serve({ ...echo, pattern: '/chat' })
  const { faults } = server.switchboard
  const client = await connect(server.url('/api/chat'))
  const lost = faults.add({ on: 'send', loss: 1 })
  expect(await said(client, 2)).toEqual([])
  expect(lost.remove()).toBe(true)
  expect(lost.remove()).toBe(false)
  expect(await said(client, 2)).toEqual(['0', '1'])
  {
    using elsewhere = faults.add([{ on: 'receive', loss: 1 }], { pattern: '/elsewhere/**' })
    using inRoom = faults.add({ on: 'receive', loss: 1 }, { room: 'nobody' })
    expect(await said(client, 1)).toEqual(['0'])
    using here = faults.add([{ on: 'receive', loss: 1 }], { pattern: '/api/chat' })
    expect(await said(client, 1)).toEqual([])
    expect([elsewhere, inRoom, here]).toHaveLength(3)
  }
  expect(await said(client, 1)).toEqual(['0'])
  faults.add({ on: 'open', refuse: 429, times: 2 })
  expect([await refusal(server.url('/api/chat')), await refusal(server.url('/api/chat'))]).toEqual([429, 429])
  await connect(server.url('/api/chat'))
  faults.add('offline')
  expect(await client.ended).toMatchObject({ code: 1006 })
  expect(await raw(server.port, handshake('/api/chat'))).toBe('')
  faults.clear()
  expect(await said(await connect(server.url('/api/chat')), 1)).toEqual(['0'])
})

test('they are for one connection, a route or a room', async () => {
  const all: WebSocketConnection[] = []
  const server = await serve({ ...echo, pattern: '/chat', onConnect: (conn) => void all.push(conn) })
  const [ada, bob] = [await connect(server.url('/api/chat')), await connect(server.url('/api/chat'))]
  const of = all[0]!.faults.add({ on: 'send', loss: 1 })
  expect([await said(ada, 1), await said(bob, 1)]).toEqual([[], ['0']])
  of.remove()
  all[1]!.joinRoom('lobby')
  const inRoom = server.switchboard.route('/chat').room('lobby').faults.add({ on: 'send', loss: 1 })
  expect([await said(ada, 1), await said(bob, 1)]).toEqual([['0'], []])
  inRoom.remove()
  const ofRoute = server.switchboard.route('/chat').faults.add({ on: 'send', loss: 1 })
  expect([await said(ada, 1), await said(bob, 1)]).toEqual([[], []])
  ofRoute.remove()
  all[1]!.faults.add({ close: 1012, reason: 'on purpose' })
  expect(await bob.ended).toEqual({ code: 1012, reason: 'on purpose' })
  await vi.waitFor(() => expect(all[1]!.closed).toBe(true))
  expect(all[1]!.faults.add({ terminate: true }).remove()).toBe(false)
})

test('a half-open connection takes what its client says, and answers nothing', async () => {
  const heard: unknown[] = []
  const server = await serve({ pattern: '/chat', onMessage: (_, message) => void heard.push(message) })
  const client = await connect(server.url('/api/chat'))
  const handle = server.switchboard.faults.add('half-open')
  client.send('lost')
  let ponged = false
  client.socket.once('pong', () => (ponged = true))
  client.socket.ping()
  // A new connection is silent from its beginning; its close frame is not answered.
  const closing = await connect(server.url('/api/chat'))
  closing.socket.close()
  handle.remove()
  await said(client, 1)
  expect(heard).toEqual(['0'].map(Number))
  expect(ponged).toBe(true)
  expect(closing.socket.readyState).toBe(closing.socket.CLOSING)
  closing.socket.terminate()
})

test.each([
  ['mask', 'WS_ERR_UNEXPECTED_MASK'],
  ['utf8', 'WS_ERR_INVALID_UTF8'],
  ['opcode', 'WS_ERR_INVALID_OPCODE'],
  ['oversized', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
] as const)('a client sees a frame with a broken %s', async (damage, code) => {
  const server = await serve({ ...echo, pattern: '/chat', faults: [{ on: 'send', after: { messages: 1 }, damage }] })
  const client = await connect(server.url('/api/chat'))
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => client.socket.once('error', resolve))
  client.send('fine')
  client.send('broken')
  expect(await client.next()).toBe('fine')
  expect((await failed).code).toBe(code)
})

test('a client with compression sees a deflate block that is none', async () => {
  const server = await serve({ ...echo, pattern: '/chat', compression: true, faults: [{ on: 'send', damage: 'deflate' }] })
  const client = await connect(server.url('/api/chat'), { perMessageDeflate: true })
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => client.socket.once('error', resolve))
  client.send('broken')
  expect((await failed).code).toBe('Z_DATA_ERROR')
})

test('a client may choose a condition where the route lets it', async () => {
  const server = await serve({ ...echo, pattern: '/chat', clientConditions: ['restarting', 'offline'] })
  expect(await refusal(server.url('/api/chat?switchboard-fault=flaky'))).toBe(400)
  const chosen = dial(server.url('/api/chat?switchboard-fault=offline'))
  expect(await chosen.ended).toMatchObject({ code: 1006 })
  expect(await said(await connect(server.url('/api/chat')), 1)).toEqual(['0'])
})

test('mistakes say what to write', () => {
  const { faults } = createSwitchboard({ wsHandlers: [] })
  const add = (given: any, scope?: any) => () => faults.add(given, scope)
  expect(add({ on: 'send', lattency: 1 })).toThrow('faults.lattency: unknown key; did you mean "latency"?')
  expect(add([{ on: 'send', loss: 1 }, { loss: 1 }])).toThrow('faults[1].loss: write on = "send" or on = "receive" as well')
  expect(add('ofline')).toThrow('faults: there is no condition "ofline"; did you mean "offline"?')
  expect(add(undefined)).toThrow("faults.add: expected a fault such as { on: 'send', latency: 100 }, got undefined")
  expect(add({ terminate: true }, 'all')).toThrow("faults.add: expected options such as { pattern: '/chat/**' }, got")
  expect(add({ terminate: true }, { pattern: {} })).toThrow('faults.add: pattern: expected text, got')
  expect(add({ terminate: true }, { pattern: 'chat' })).toThrow('pattern: ')
  expect(() => createSwitchboard({ routes: [{ pattern: '/', faults: [{ on: 'open', refuse: 200 }] }] })).toThrow(
    'routes[0].faults[0].refuse: expected an HTTP status from 400 to 599, got 200',
  )
})

test('the plugin has them too', async () => {
  const plugin = switchboard({ wsHandlers: [{ ...echo, pattern: '/chat' }] })
  const server = await serveVite({}, { plugins: [plugin] })
  const client = await connect(server.url('/api/chat'))
  const lost = plugin.api.faults.add({ on: 'send', loss: 1 })
  expect(await said(client, 1)).toEqual([])
  lost.remove()
  expect(await said(client, 1)).toEqual(['0'])
})
