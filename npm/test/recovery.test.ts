/** Clients with a protocol of their own, for whom a handler recovers what they missed. */

import { expect, test } from 'vitest'

import { connect } from './support/client.js'
import { serve } from './support/server.js'

const thrown = (run: () => unknown): string => {
  try {
    return `nothing, but ${String(run())}`
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

const chat = {
  pattern: '/chat',
  history: { size: 2 },
  onMessage: (connection: any, { type, room, position, text }: any) => {
    if (type === 'resume') connection.recover(room, position)
    if (type === 'say') {
      connection.broadcast(text, { room })
      connection.send('said')
    }
    if (type === 'rooms') connection.send(connection.getRooms())
    if (type === 'wrong') {
      const calls = [() => connection.recover({}), () => connection.recover('a', []), () => connection.recover('x'.repeat(2000))]
      connection.send(calls.map(thrown))
    }
  },
}

test('who says where it was gets what it missed, and no more', async () => {
  const server = await serve(chat as never)
  const bob = await connect(server.url('/api/chat'))
  const say = async (text: string, room?: string): Promise<void> => {
    bob.send({ type: 'say', room, text })
    expect(await bob.next()).toBe('said')
  }
  const ann = await connect(server.url('/api/chat'))
  ann.send({ type: 'resume', room: 'lobby' })
  const joined = await ann.json()
  expect(joined).toEqual({ history: { rooms: ['lobby'], position: expect.any(String) } })
  ann.send({ type: 'rooms' })
  expect(await ann.json()).toEqual(['lobby'])
  await say('one', 'lobby')
  const { history, text } = await ann.json()
  expect([history.rooms, text]).toEqual([['lobby'], 'one'])
  ann.socket.close()
  await ann.ended

  await say('two', 'lobby')
  const again = await connect(server.url('/api/chat'))
  again.send({ type: 'resume', room: 'lobby', position: history.position })
  expect(await again.json()).toMatchObject({ history: { rooms: ['lobby'], recovered: true } })
  expect(await again.json()).toMatchObject({ history: { rooms: ['lobby'] }, text: 'two' })
  await say('three', 'lobby')
  expect(await again.json()).toMatchObject({ history: { rooms: ['lobby'] }, text: 'three' })

  const late = await connect(server.url('/api/chat'))
  late.send({ type: 'resume', room: 'lobby', position: joined.history.position })
  expect(await late.json()).toMatchObject({ history: { rooms: ['lobby'], recovered: false } })
})

test('without a room it is what everyone is told', async () => {
  const server = await serve(chat as never)
  const ann = await connect(server.url('/api/chat'))
  ann.send({ type: 'resume' })
  const { history } = await ann.json()
  expect(history.rooms).toEqual([])
  ann.socket.close()
  await ann.ended
  const bob = await connect(server.url('/api/chat'))
  bob.send({ type: 'say', text: 'one' })
  expect(await bob.next()).toBe('said')
  const again = await connect(server.url('/api/chat'))
  again.send({ type: 'resume', position: history.position })
  expect(await again.json()).toMatchObject({ history: { rooms: [], recovered: true } })
  expect(await again.json()).toMatchObject({ history: { rooms: [] }, text: 'one' })
  again.send({ type: 'rooms' })
  expect(await again.json()).toEqual([])
})

test('what cannot be meant, and a route that keeps nothing, throw', async () => {
  const server = await serve([
    chat,
    { pattern: '/none', onMessage: (connection: any) => connection.send(thrown(() => connection.recover('lobby'))) },
  ] as never)
  const ann = await connect(server.url('/api/chat'))
  ann.send({ type: 'wrong' })
  expect(await ann.json()).toEqual([
    'TypeError: recover: expected text, got an object without keys',
    'TypeError: recover: position: expected text, got a list',
    'RangeError: a room name has at most 256 bytes, not 2000',
  ])
  ann.send({ type: 'rooms' })
  expect(await ann.json()).toEqual([])
  const none = await connect(server.url('/api/none'))
  none.send({})
  expect(await none.next()).toBe('RangeError: this route keeps no history; give it the option history, such as history: {}')
})
