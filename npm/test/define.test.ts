/** `defineHandler`: what TypeScript knows of a handler, and messages that a schema validates. */

import * as v from 'valibot'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  createSwitchboard,
  defineHandler,
  InvalidMessageError,
  type InputOf,
  type OutputOf,
  type ParamsOf,
  type RouteOptions,
  type SchemaIssue,
  type StandardSchema,
  type WebSocketConnection,
  type WebSocketHandler,
} from 'vite-plugin-switchboard'
import { z } from 'zod'

import { connect } from './support/client.js'
import { serve, serveVite } from './support/server.js'

describe('types', () => {
  test('params follow from the pattern', () => {
    expectTypeOf<ParamsOf<'/chat/{room}'>>().toEqualTypeOf<{ room: string }>()
    expectTypeOf<ParamsOf<'/{a}/x-{b}.{c}'>>().toEqualTypeOf<{ a: string; b: string; c: string }>()
    expectTypeOf<ParamsOf<'/{id:\\d{2,4}}/{at:[}\\]{]+}/{name:(a|\\}b)}/{last}'>>().toEqualTypeOf<{
      id: string
      at: string
      name: string
      last: string
    }>()
    expectTypeOf<ParamsOf<'/chat/**'>>().toEqualTypeOf<{}>()
    expectTypeOf<ParamsOf<string>>().toEqualTypeOf<Record<string, string>>()
    expectTypeOf<ParamsOf<undefined>>().toEqualTypeOf<Record<string, string>>()
    defineHandler({
      pattern: '/chat/{room}',
      authenticate: (request) => {
        // @ts-expect-error There is no such parameter.
        void request.params.rom
        return request.params.room !== ''
      },
      onConnect: (connection, request) => {
        connection.joinRoom(request.params.room)
        // @ts-expect-error There is no such parameter.
        connection.joinRoom(connection.req.params.rom)
      },
      onClose: (connection, code, reason, initiatedByClient) => {
        expectTypeOf(connection.req.params).toEqualTypeOf<{ room: string }>()
        expectTypeOf([code, reason, initiatedByClient] as const).toEqualTypeOf<readonly [number, string, boolean]>()
      },
    })
  })

  test('without a pattern there may be any, and the handler is for a file', () => {
    const handler = defineHandler({
      onConnect: (connection) => expectTypeOf(connection.req.params).toEqualTypeOf<Record<string, string>>(),
    })
    expectTypeOf(handler.pattern).toEqualTypeOf<undefined>()
    // @ts-expect-error Elsewhere a pattern is needed.
    const elsewhere: WebSocketHandler = handler
    expect(elsewhere).toBe(handler)
  })

  test('authData follows from authenticate', () => {
    defineHandler({
      pattern: '/',
      authenticate: async (request) => {
        if (request.headers.cookie === undefined) return false
        if (request.url === '/') return { success: false, code: 4001, reason: 'no' }
        return { success: true, data: { user: 'ada', id: 1 } }
      },
      onConnect: ({ authData }) => expectTypeOf(authData).toEqualTypeOf<{ user: string; id: number }>(),
    })
    defineHandler({
      pattern: '/',
      authenticate: () => ({ success: Math.random() < 2, data: 7 }),
      onMessage: ({ authData }) => expectTypeOf(authData).toEqualTypeOf<number>(),
    })
    defineHandler({
      pattern: '/',
      authenticate: { token: { query: 'token', values: { a: { user: 'ada' }, b: { user: 'bob' } } } },
      onMessage: ({ authData }) => expectTypeOf(authData.user).toExtend<string>(),
    })
    defineHandler({
      pattern: '/',
      authenticate: (request) => request.headers.cookie !== undefined,
      onConnect: ({ authData }) => expectTypeOf(authData).toEqualTypeOf<undefined>(),
    })
    defineHandler({ pattern: '/', onConnect: ({ authData }) => expectTypeOf(authData).toEqualTypeOf<undefined>() })
  })

  test('messages follow from their schema, and what is sent from its own', () => {
    const message = z.object({ text: z.string(), at: z.string().transform(Number) })
    const sends = v.union([v.string(), v.object({ from: v.string(), text: v.optional(v.string(), '') })])
    expectTypeOf<OutputOf<typeof message, never>>().toEqualTypeOf<{ text: string; at: number }>()
    expectTypeOf<InputOf<typeof sends, never>>().toEqualTypeOf<string | { from: string; text?: string | undefined }>()
    defineHandler({
      pattern: '/chat/{room}',
      authenticate: () => ({ success: true, data: { user: 'ada' } }),
      message,
      sends,
      responses: [{ match: (_, { at }) => at > 0, response: (_, received) => received.text }],
      onMessage: (connection, received) => {
        expectTypeOf(received).toEqualTypeOf<{ text: string; at: number }>()
        void connection.send({ from: connection.authData.user, text: received.text })
        connection.broadcast('text', { room: connection.req.params.room })
        // @ts-expect-error It is no number.
        void connection.send(1)
        // @ts-expect-error `from` is missing.
        connection.broadcast({ text: 'x' })
        // @ts-expect-error `from` is missing.
        connection.broadcastAllRooms({})
      },
    })
  })

  test('without schemas messages may be anything', () => {
    defineHandler({
      pattern: '/',
      onMessage: (connection, received) => {
        expectTypeOf(received).toBeAny()
        void connection.send(1)
      },
    })
  })

  test('what was defined fits wherever handlers do, and connections fit a function for any of them', () => {
    const greet = (connection: WebSocketConnection): unknown => connection.send('hello')
    const handler = defineHandler({
      pattern: '/{name}',
      sends: z.string(),
      authenticate: () => ({ success: true, data: 1 }),
      onConnect: (connection) => greet(connection),
    })
    expectTypeOf(handler).toExtend<WebSocketHandler>()
    expectTypeOf(handler).toExtend<RouteOptions>()
    expect(handler).toMatchObject({ pattern: '/{name}' })
  })

  test('a mistake is found where it is made', () => {
    // @ts-expect-error There is no such callback.
    defineHandler({ pattern: '/', onMesage: () => {} })
    // @ts-expect-error It takes a time.
    defineHandler({ pattern: '/', heartbeat: 'often' })
    // @ts-expect-error It has to say yes or no.
    defineHandler({ pattern: '/', authenticate: () => 'yes' })
    expect(() => defineHandler('/' as never)).toThrow('defineHandler: expected a handler such as')
  })
})

test('the handler is given back as it is', () => {
  const handler = { onMessage: () => {} }
  expect(defineHandler(handler)).toBe(handler)
})

const chat = { text: 'a', at: '1' }

const schemas: [string, StandardSchema<any, any>][] = [
  ['zod', z.object({ text: z.string(), at: z.string().transform(Number) })],
  ['zod, asynchronously', z.object({ text: z.string(), at: z.string().transform(async (at) => Number(at)) })],
  ['valibot', v.object({ text: v.string(), at: v.pipe(v.string(), v.transform(Number)) })],
  ['valibot, asynchronously', v.objectAsync({ text: v.string(), at: v.pipeAsync(v.string(), v.transformAsync(async (at) => Number(at))) })],
]

test.each(schemas)('messages are validated by %s, and a bad one costs only itself', async (_, message) => {
  const errors: unknown[] = []
  const server = await serve({
    pattern: '/',
    message,
    onMessage: (connection, received) => connection.send(received),
    onError: (_, error) => void errors.push(error),
  })
  const [client, other] = [await connect(server.url('/api/')), await connect(server.url('/api/'))]
  const bad = [JSON.stringify({ text: 1, at: '1' }), 'no JSON', Buffer.from([1])]
  for (const one of bad) client.send(one)
  client.send(JSON.stringify(chat))
  other.send(JSON.stringify({ ...chat, at: '2' }))
  expect(JSON.parse(String(await client.next()))).toEqual({ text: 'a', at: 1 })
  expect(JSON.parse(String(await other.next()))).toEqual({ text: 'a', at: 2 })
  expect(errors).toHaveLength(bad.length)
  expect(errors[0]).toBeInstanceOf(InvalidMessageError)
  const [{ issues, message: text }] = errors as [InvalidMessageError]
  expect(issues).toEqual([expect.objectContaining({ message: expect.any(String) })])
  expect(text).toBe(`the message does not fit: text: ${(issues as SchemaIssue[])[0]!.message}`)
})

test.each(schemas)('responses get what %s makes of a message, and onMessage gets the same', async (_, message) => {
  const server = await serve({
    pattern: '/',
    message,
    responses: [{ match: (_, { at }) => at === 1, response: (_, { at }) => ({ answer: at }) }],
    onMessage: (connection, received) => connection.send(received),
  })
  const client = await connect(server.url('/api/'))
  for (const at of ['1', '2']) client.send(JSON.stringify({ ...chat, at }))
  expect(JSON.parse(String(await client.next()))).toEqual({ answer: 1 })
  expect(JSON.parse(String(await client.next()))).toEqual({ text: 'a', at: 2 })
})

test('what transformRawData returns is validated', async () => {
  const server = await serve({
    pattern: '/',
    message: z.number(),
    transformRawData: (raw) => raw.length,
    onMessage: (connection, length) => connection.send(length + 1),
  })
  const client = await connect(server.url('/api/'))
  client.send('four')
  expect(await client.next()).toBe('5')
})

test('without onError the client is told what is wrong, and the log shows no stack', async () => {
  const server = await serveVite({
    routes: [defineHandler({ pattern: '/typed', message: z.object({ n: z.number() }), onMessage: (connection) => connection.send('ok') })],
  })
  const client = await connect(server.url('/typed'))
  client.send('{"n":"x"}')
  expect(JSON.parse(String(await client.next()))).toEqual({
    type: 'error',
    message: expect.stringContaining('the message does not fit: n: '),
  })
  client.send('{"n":1}')
  expect(await client.next()).toBe('ok')
  const lines = server.lines.filter((line) => line.includes('does not fit'))
  expect(lines).toEqual([expect.stringMatching(/^warn .*onMessage for \/typed: the message does not fit: n: [^\n]*$/)])
})

test.each<[string, object, string]>([
  ['a message that is no schema', { message: {}, onMessage: () => {} }, 'wsHandlers[0].message: expected a Standard Schema'],
  ['sends that is no schema', { sends: 'text' }, 'wsHandlers[0].sends: expected a Standard Schema'],
  ['a schema that nothing uses', { message: z.string() }, 'wsHandlers[0].message: nothing gets the messages'],
])('%s stops the start', (_, options, message) => {
  expect(() => createSwitchboard({ wsHandlers: [{ pattern: '/', ...options } as WebSocketHandler] })).toThrow(message)
})
