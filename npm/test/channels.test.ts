/** Phoenix channels with functions, spoken to by npm's phoenix of both generations. */

import { Presence, Socket } from 'phoenix'
import { Socket as Socket17 } from 'phoenix17'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

import type { ChannelCallbacks, ChannelSocket, DeclaredChannel, SwitchboardPlugin } from 'vite-plugin-switchboard'
import { connect } from './support/client.js'
import { atEnd, type Running, serve, serveVite, signal } from './support/server.js'

const clients = [
  ['1.8', Socket],
  ['1.7', Socket17],
] as const

/** A connected Phoenix client. */
function phoenix(server: Running, Client: any = Socket, params = {}): any {
  const socket = new Client(server.url('/socket'), {
    transport: WebSocket,
    params,
    rejoinAfterMs: () => 10,
    reconnectAfterMs: () => 10_000,
  })
  socket.connect()
  atEnd(() => socket.disconnect())
  return socket
}

/** What a push or a join comes to. */
function reply(push: any): Promise<{ status: string; response: any }> {
  return new Promise((resolve) => {
    for (const status of ['ok', 'error', 'timeout']) push.receive(status, (response: any) => resolve({ status, response }))
  })
}

function heard(channel: any, event: string): Promise<any> {
  return new Promise((resolve) => {
    const ref = channel.on(event, (payload: any) => {
      channel.off(event, ref)
      resolve(payload)
    })
  })
}

const options = (...channels: (ChannelCallbacks | DeclaredChannel)[]) => ({
  routes: [{ pattern: '/socket/websocket', dialect: 'phoenix' as const, phoenix: { channels } }],
})

test.each(clients)('npm phoenix %s: join, push, replies and leave in Vite', async (_, Client) => {
  const left = signal<unknown>()
  const server = await serveVite(
    options({
      topic: 'room:*',
      join: async ({ name }, socket) => {
        if (name === undefined) return { error: { reason: 'a name is needed' } }
        socket.assigns.name = name
        socket.push('welcome', { topic: socket.topic })
        return { ok: { id: socket.connection.id } }
      },
      handleIn: {
        shout: ({ text }, socket) => socket.broadcast('shout', { from: socket.assigns.name, text }),
        whisper: (payload, socket) => {
          socket.broadcastFrom('whisper', payload)
          return { ok: { heard: true } }
        },
        refuse: () => ({ error: { reason: 'no' } }),
        later: (_, socket) => void setImmediate((ref) => socket.reply(ref, { ok: 'now' }), socket.ref),
        bytes: (payload: Buffer) => ({ ok: Buffer.concat([payload, payload]) }),
        end: () => ({ stop: true }),
      },
      leave: (reason, socket) => left.resolve([reason, socket.assigns.name]),
    }),
  )
  const socket = phoenix(server, Client)
  const nameless = socket.channel('room:a')
  expect(await reply(nameless.join())).toEqual({ status: 'error', response: { reason: 'a name is needed' } })
  nameless.leave()
  expect(await reply(socket.channel('other').join())).toMatchObject({ status: 'error' })

  const ann = socket.channel('room:b', { name: 'Ann' })
  const welcome = heard(ann, 'welcome')
  expect(await reply(ann.join())).toMatchObject({ status: 'ok', response: { id: expect.any(String) } })
  expect(await welcome).toEqual({ topic: 'room:b' })
  const bob = phoenix(server, Client).channel('room:b', { name: 'Bob' })
  await reply(bob.join())

  const shouts = [heard(ann, 'shout'), heard(bob, 'shout')]
  ann.push('shout', { text: 'hi' })
  expect(await Promise.all(shouts)).toEqual([{ from: 'Ann', text: 'hi' }, { from: 'Ann', text: 'hi' }])
  const whisper = heard(bob, 'whisper')
  expect(await reply(ann.push('whisper', { a: 1 }))).toEqual({ status: 'ok', response: { heard: true } })
  expect(await whisper).toEqual({ a: 1 })
  expect(await reply(ann.push('refuse', {}))).toEqual({ status: 'error', response: { reason: 'no' } })
  expect(await reply(ann.push('later', {}))).toEqual({ status: 'ok', response: 'now' })
  expect(await reply(ann.push('toString', {}))).toEqual({ status: 'error', response: { reason: 'unmatched event' } })
  const { response } = await reply(ann.push('bytes', Uint8Array.of(1, 255).buffer))
  expect([...new Uint8Array(response)]).toEqual([1, 255, 1, 255])

  const closed = new Promise<void>((resolve) => bob.onClose(() => resolve()))
  bob.push('end', {})
  await closed
  expect(await left.promise).toEqual(['stopped', 'Bob'])
})

test.each(clients)('npm phoenix %s: a function that throws costs the channel, and the client joins again', async (_, Client) => {
  const reasons: string[] = []
  let joins = 0
  const server = await serve([], {
    ...options({
      topic: 'room:*',
      join: ({ fail }) => {
        if (fail) throw new Error('boom')
        return { ok: ++joins }
      },
      handleIn: (event) => {
        if (event === 'crash') throw new Error('boom')
        return { ok: event }
      },
      leave: (reason) => void reasons.push(reason),
    }),
  })
  const socket = phoenix(server, Client)
  expect(await reply(socket.channel('room:bad', { fail: true }).join())).toMatchObject({
    status: 'error',
    response: { reason: 'join crashed' },
  })
  const channel = socket.channel('room:a')
  const rejoined = signal()
  channel.join().receive('ok', (count: number) => count === 2 && rejoined.resolve())
  expect(await reply(channel.push('x', {}))).toEqual({ status: 'ok', response: 'x' })
  channel.push('crash', {})
  await rejoined.promise
  expect(await reply(channel.push('y', {}))).toEqual({ status: 'ok', response: 'y' })
  expect(reasons).toEqual(['crashed'])
})

test('a join that took too long is over, whatever its function does later', async () => {
  const members: ChannelSocket[] = []
  const late = signal()
  const server = await serve([], {
    ...options({
      topic: 'room:*',
      join: async (_, socket) => {
        members.push(socket)
        if (members.length === 1) await late.promise
      },
    }),
    limits: { handlerTimeout: 50 },
  })
  const socket = phoenix(server)
  const channel = socket.channel('room:a')
  const heardNews: string[] = []
  channel.on('news', ({ from }: { from: string }) => heardNews.push(from))
  const joined = new Promise<void>((resolve) => channel.join().receive('ok', () => resolve()))
  await joined
  expect(members.length).toBe(2)
  late.resolve()
  await late.promise
  members[0]!.push('news', { from: 'the one that took too long' })
  const last = heard(channel, 'news')
  members[1]!.push('news', { from: 'the one that was let in' })
  await last
  expect(heardNews).toEqual(['the one that was let in'])
})

test('presence, as its own class sees it', async () => {
  const left = signal<string>()
  const server = await serve([], {
    ...options({
      topic: 'room:*',
      join: ({ name }, socket) => {
        socket.pushPresenceState()
        socket.track(name, { mood: 'fine' })
      },
      handleIn: {
        mood: (mood, socket) => socket.track('Ann', mood),
        hide: (_, socket) => socket.untrack(),
      },
      leave: (reason) => left.resolve(reason),
    }),
  })
  const ann = phoenix(server).channel('room:a', { name: 'Ann' })
  const presence = new Presence(ann)
  const list = () => presence.list((key: string, { metas }: any) => `${key} ${metas.map(({ mood }: any) => mood)}`)
  const seen = async (expected: string[]) => {
    await new Promise<void>((resolve) => {
      const look = (): void => void (list().sort().join() === expected.join() && resolve())
      presence.onSync(look)
      look()
    })
  }
  await reply(ann.join())
  await seen(['Ann fine'])
  const bobsSocket = phoenix(server)
  await reply(bobsSocket.channel('room:a', { name: 'Bob' }).join())
  await seen(['Ann fine', 'Bob fine'])
  ann.push('mood', { mood: 'tired' })
  await seen(['Ann tired', 'Bob fine'])
  bobsSocket.disconnect()
  await seen(['Ann tired'])
  expect(await left.promise).toBe('closed')
  ann.push('hide', {})
  await seen([])
})

test('what is said on behalf of who has left goes nowhere, and the server broadcasts by itself', async () => {
  const members: ChannelSocket[] = []
  const server = await serve([], options({ topic: 'room:*', join: (_, socket) => void members.push(socket) }))
  const socket = phoenix(server)
  const [ann, bob] = [socket.channel('room:a'), phoenix(server).channel('room:a')]
  await reply(ann.join())
  await reply(bob.join())
  await reply(ann.leave())
  members[0]!.push('x', {})
  members[0]!.track('Ann')
  const last = heard(bob, 'last')
  members[0]!.broadcastFrom('last', { words: 1 })
  expect(await last).toEqual({ words: 1 })

  const news = heard(bob, 'news')
  server.switchboard.command('/socket/websocket', 'broadcast', { topic: 'room:a', event: 'news', payload: { n: 1 } })
  expect(await news).toEqual({ n: 1 })
  expect(() => server.switchboard.command('/nowhere', 'broadcast', {})).toThrow('there is no route /nowhere')
  expect(() => server.switchboard.command('/socket/websocket', 'dance', { topic: 'a' })).toThrow('dance')
})

test('other functions of the route work beside those of its channels', async () => {
  const errors = signal<string>()
  const server = await serve([], {
    routes: [
      {
        pattern: '/socket/websocket',
        phoenix: { channels: [{ topic: 'a', join: (_, { connection }) => ({ ok: connection.authData }), handleIn: { x: () => { throw new Error('boom') } } }] },
        dialect: 'phoenix',
        authenticate: ({ url }) => ({ success: url!.includes('token=good'), data: 'Ann' }),
        onError: (_, { message }) => errors.resolve(message),
      },
    ],
  })
  const channel = phoenix(server, Socket, { token: 'good' }).channel('a')
  expect(await reply(channel.join())).toEqual({ status: 'ok', response: 'Ann' })
  const crashed = new Promise<void>((resolve) => channel.onError(() => resolve()))
  channel.push('x', {})
  await crashed
  expect(await errors.promise).toBe('boom')
  const raw = connect(server.url('/socket/websocket?vsn=9.0.0&token=good'))
  await expect(raw).rejects.toThrow()
})

test.each([
  [{ topic: 'a', join: 5, leave() {} }, 'routes[0].phoenix.channels[0].join: expected a function, got 5'],
  [{ topic: 'a', handleIn: { x: 1 } }, 'routes[0].phoenix.channels[0].handleIn.x: expected a function, got 1'],
  [{ topic: 'a', join() {}, echo: true }, 'routes[0].phoenix.channels[0].echo: means nothing beside functions'],
])('a channel that is none: %j', async (channel, message) => {
  await expect(serve([], options(channel as never))).rejects.toThrow(message)
})

test("the plugin's api speaks to all of its servers", async () => {
  const server = await serveVite({
    ...options({ topic: 'room:*', join: () => {} }, { topic: 'kills', feed: 'kills' }),
    feeds: [{ name: 'kills' }],
  })
  const { api } = server.server.config.plugins.find(({ name }) => name === 'vite-plugin-switchboard') as SwitchboardPlugin
  const socket = phoenix(server)
  const [room, kills] = [socket.channel('room:a'), socket.channel('kills')]
  await reply(room.join())
  await reply(kills.join())
  const [news, update] = [heard(room, 'news'), heard(kills, 'update')]
  api.command('/socket/websocket', 'broadcast', { topic: 'room:a', event: 'news', payload: { n: 1 } })
  api.publish('kills', { n: 2 })
  expect(await news).toEqual({ n: 1 })
  expect(await update).toEqual({ n: 2 })
})
