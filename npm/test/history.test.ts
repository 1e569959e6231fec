/** Clients that come back to a handler of one's own get what they missed in its rooms. */

import { expect, test } from 'vitest'

import { connect } from './support/client.js'
import { serve } from './support/server.js'

const chat = {
  pattern: '/chat/{room}',
  history: { size: 2 },
  onConnect: (connection: any, { params }: any) => connection.joinRoom(params.room),
  onMessage: (connection: any, message: any) => {
    connection.broadcast(message, { rooms: ['lobby'] })
    connection.send({ got: message.n })
  },
}

test('what was said in a room meanwhile, and no more', async () => {
  const server = await serve(chat as never)
  const bob = await connect(server.url('/api/chat/lobby'))
  const ann = await connect(server.url('/api/chat/lobby?switchboard-history'))
  expect(await ann.json()).toMatchObject({ history: { rooms: [] } })
  expect(await ann.json()).toMatchObject({ history: { rooms: ['lobby'] } })
  bob.send({ n: 1 })
  const { history, text } = await ann.json()
  expect([history.rooms, JSON.parse(text)]).toEqual([['lobby'], { n: 1 }])
  // What is for one client alone comes as it is.
  expect(await bob.json()).toEqual({ got: 1 })
  ann.socket.close()
  await ann.ended

  bob.send({ n: 2 })
  expect(await bob.json()).toEqual({ got: 2 })
  const again = await connect(server.url(`/api/chat/lobby?switchboard-history=lobby@${history.position}`))
  expect(await again.json()).toMatchObject({ history: { rooms: [] } })
  expect(await again.json()).toMatchObject({ history: { rooms: ['lobby'], recovered: true } })
  expect(JSON.parse((await again.json()).text)).toEqual({ n: 2 })
  again.send({ n: 3 })
  // Its own does not come back to it, but it learns how far the room is.
  expect(await again.json()).toMatchObject({ history: { rooms: ['lobby'] } })
  expect(await again.json()).toEqual({ got: 3 })
  expect(await bob.json()).toEqual({ n: 3 })

  bob.send({ n: 4 })
  expect(await bob.json()).toEqual({ got: 4 })
  const late = await connect(server.url(`/api/chat/lobby?switchboard-history=lobby@${history.position}`))
  expect(await late.json()).toMatchObject({ history: { rooms: [] } })
  expect(await late.json()).toMatchObject({ history: { rooms: ['lobby'], recovered: false } })
})

test('a mistake in the option is told with its place', async () => {
  await expect(serve({ ...chat, history: { sise: 3 } } as never)).rejects.toThrow(/history.*sise.*size/)
})
