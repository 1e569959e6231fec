/** The typed client of the control API, and that the server gives what the OpenAPI document says. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { connect as control, ControlFailure, type ControlClient, type ControlEvent } from 'vite-plugin-switchboard/control'

import { connect } from './support/client.js'
import { folder, serve } from './support/server.js'

const document = JSON.parse(readFileSync(join(import.meta.dirname, '../openapi.json'), 'utf8'))
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
ajv.addSchema(document, 'openapi')

/** Fails unless a value is what the document says of a type. Nothing more may be there either. */
function fits(type: string, value: unknown): void {
  const check = ajv.getSchema(`openapi#/components/schemas/${type}`)!
  expect(check(value), `${type}: ${JSON.stringify(check.errors)} in ${JSON.stringify(value)}`).toBe(true)
  const { properties } = document.components.schemas[type]
  if (properties) expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(value as object)))
}

const chat = {
  pattern: '/chat/{room}',
  authenticate: () => ({ success: true, data: { user: 'ada' } }),
  onConnect: (connection: any, { params }: any) => connection.joinRoom(params.room),
  onMessage: (connection: any, message: any) => {
    if (message.fail) throw new Error('as asked')
    connection.leaveRoom('one')
    connection.send({ got: message })
  },
}

async function start() {
  const late = {
    pattern: '/late',
    delay: 20_000,
    onMessage: (connection: any) => connection.send(server.switchboard.clock.now),
  }
  const server: Awaited<ReturnType<typeof serve>> = await serve([chat, late] as never, {
    control: { token: 'a long token', reveal: true },
    feeds: [{ name: 'news/today' }],
    recordings: folder(),
    routes: [{ pattern: '/socket/websocket', dialect: 'phoenix', phoenix: { realtime: true } } as never],
  })
  const client = await control(`http://127.0.0.1:${server.port}`, { token: 'a long token' })
  return { server, client }
}

async function until(events: AsyncIterable<ControlEvent>, type: ControlEvent['type'], seen: ControlEvent[] = []): Promise<ControlEvent[]> {
  for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => events[Symbol.asyncIterator]().next() }) }) {
    seen.push(event)
    if (event.type === type) return seen
  }
  throw new Error(`no ${type} among ${JSON.stringify(seen)}`)
}

test('the document is OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(document))
  expect(result.errors).toBeUndefined()
  expect(result.valid).toBe(true)
  const broken = await new Validator().validate({ ...structuredClone(document), paths: { '/x': { get: { responses: 1 } } } })
  expect(broken.valid).toBe(false)
})

test('every answer is what the document says', async () => {
  const { server, client } = await start()
  const ada = await connect(server.url('/api/chat/one?x=1'))
  const phoenix = await connect(server.url('/socket/websocket?vsn=2.0.0'))
  phoenix.socket.send(JSON.stringify(['1', '1', 'realtime:x', 'phx_join', { config: { presence: { key: 'ada', enabled: true } } }]))
  phoenix.socket.send(JSON.stringify(['1', '2', 'realtime:x', 'presence', { type: 'presence', event: 'track', payload: { on: 1 } }]))
  await phoenix.next()
  await client.publish('news/today', { headline: 'x' })
  const all = await client.connections()
  const { id } = all.connections.find(({ path }) => path === '/api/chat/one')!
  const answers: [string, () => Promise<unknown>][] = [
    ['ControlServer', client.server],
    ['ControlRoutes', client.routes],
    ['ControlConnections', client.connections],
    ['ControlConnection', () => client.connection(id)],
    ['ControlMessages', () => client.messages(id, { limit: 10 })],
    ['ControlRooms', client.rooms],
    ['Stats', client.stats],
    ['ControlFeeds', client.feeds],
    ['ControlFeedValues', () => client.feed('news/today', { limit: 1 })],
    ['ControlFault', () => client.addFaults({ route: '/chat/{room}', faults: [{ on: 'send', latency: 1 }] })],
    ['ControlFaults', client.faults],
    ['ControlDone', () => client.removeFaults()],
    ['ControlBreakpoint', () => client.addBreakpoint({ route: '/chat/{room}', contains: 'x', limit: 3 })],
    ['ControlBreakpoints', client.breakpoints],
    ['ControlDone', () => client.removeBreakpoints()],
    ['ControlDone', () => client.decideAllHeld({ action: 'pass' })],
    ['ControlDone', () => client.pause({ connection: id, timeout: 5_000 })],
    ['ControlDone', () => client.resume({ connection: id })],
    ['ControlRecording', () => client.startRecording({ name: 'client.jsonl', route: '/chat/{room}' })],
    ['ControlRecordings', client.recordings],
    ['ControlDone', () => client.stopRecording('client.jsonl')],
    ['ControlClock', client.clock.now],
    ['ControlDone', () => client.send(id, { n: 1 })],
    ['ControlDone', () => client.broadcast('/chat/{room}', new Uint8Array([1, 2]), { room: 'one' })],
  ]
  for (const [type, ask] of answers) fits(type, await ask())
  expect([await ada.next(), await ada.next()]).toEqual(['{"n":1}', Buffer.from([1, 2])])
  expect(await client.connection(id)).toMatchObject({ authData: { user: 'ada' }, query: 'x=1', rooms: ['one'], params: { room: 'one' } })
  await expect.poll(async () => (await client.presence()).total).toBe(1)
  fits('ControlPresences', await client.presence())
  const [header] = (await client.recording('client.jsonl')).split('\n')
  expect(JSON.parse(header!)).toMatchObject({ switchboard: 'recording', version: 1, source: '/chat/{room}' })
  await expect(client.recording('nothing.jsonl')).rejects.toMatchObject({ status: 404, message: expect.stringContaining('no recording of this name') })
  await expect(client.recording('../client.jsonl')).rejects.toMatchObject({ status: 400 })
  const stats = await client.stats()
  expect(stats).toEqual(server.switchboard.stats())
  fits('ControlDone', await client.close({ connection: id, code: 4001, reason: 'bye' }))
  fits('ControlDone', await client.terminate({ everyone: true }))
  fits('ControlDone', await client.reset())
})

test('what passed on a connection is counted and kept, also after its end', async () => {
  const { server, client } = await start()
  const before = Date.now()
  const ada = await connect(server.url('/api/chat/one?x=1'))
  ada.socket.send('{"n":1}')
  await ada.next()
  const { id } = (await client.connections()).connections[0]!
  // A client's frame has a header of 6 bytes, a server's of 2; the server's ping comes late.
  const counts = { messagesIn: 1, bytesIn: 7, wireBytesIn: 13, messagesOut: 1, bytesOut: 15, wireBytesOut: 17, droppedMessages: 0 }
  const open = await client.connection(id)
  expect(open).toMatchObject({ ...counts, state: 'open', compression: false })
  expect(open.openedAt).toBeGreaterThanOrEqual(before)
  ada.socket.close(4000, 'bye')
  await expect.poll(async () => (await client.connections({ state: 'closed' })).total).toBe(1)
  const [ended] = (await client.connections({ state: 'closed' })).connections
  fits('ControlConnection', ended)
  // Both close frames.
  const all = { ...counts, wireBytesIn: 13 + 6 + 5, wireBytesOut: 17 + 2 + 5 }
  expect(ended).toMatchObject({ ...all, id, state: 'closed', closeCode: 4000, closeReason: 'bye', closeCause: 'client', openedAt: open.openedAt })
  expect(ended!.closedAt).toBeGreaterThanOrEqual(open.openedAt!)
  const { messages } = await client.messages(id)
  expect(messages).toMatchObject([{ direction: 'in', text: '{"n":1}' }, { direction: 'out', text: '{"got":{"n":1}}' }])
})

test('a compressed connection shows what that saves', async () => {
  const server = await serve([{ pattern: '/chat', compression: true, onMessage: (connection: any, message: any) => connection.send(message) }] as never, {
    control: { token: 'a long token' },
  })
  const client = await control(`http://127.0.0.1:${server.port}`, { token: 'a long token' })
  const ada = await connect(server.url('/api/chat'), { perMessageDeflate: true })
  ada.socket.send(JSON.stringify('a'.repeat(10_000)))
  await ada.next()
  const [shown] = (await client.connections()).connections
  expect(shown).toMatchObject({ compression: true, bytesIn: 10_002, bytesOut: 10_000 })
  expect(Math.max(shown!.wireBytesIn, shown!.wireBytesOut)).toBeLessThan(1_000)
})

test('who subscribes afterwards is told what happened before', async () => {
  const { server, client } = await start()
  await expect(connect(server.url('/api/nowhere'))).rejects.toThrow('404')
  const events = await client.events({ recent: 10, kinds: ['unclaimed'] })
  expect((await events.next()).value).toMatchObject({ type: 'unclaimed', path: '/api/nowhere', status: 404 })
  events.close()
})

test('every event is what the document says', async () => {
  const { server, client } = await start()
  const events = await client.events({ payloadBytes: 100 })
  const ada = await connect(server.url('/api/chat/one'))
  ada.socket.send('{"n":1}')
  expect(await ada.next()).toBe('{"got":{"n":1}}')
  ada.socket.send('{"fail":true}')
  await ada.next()
  ada.socket.close(4000, 'bye')
  const seen = await until(events, 'closed')
  await connect(server.url('/api/nothing')).catch(() => {})
  await until(events, 'unclaimed', seen)
  events.subscribe({ payloadBytes: 1e9 })
  await until(events, 'rejected', seen)
  events.subscribe({ kinds: ['opened'] })
  await until(events, 'subscribed', seen)
  for (const event of seen) fits('ControlEvent', event)
  const types = new Set(seen.map(({ type }) => type))
  expect([...types].sort()).toEqual(['closed', 'error', 'joined', 'left', 'log', 'message', 'opened', 'rejected', 'subscribed', 'unclaimed'])
  events.close()
  expect(await events.next()).toEqual({ done: true, value: undefined })
})

test('time stands still, moves on and runs again', async () => {
  const { server, client } = await start()
  const before = await client.clock.pause()
  expect(before).toMatchObject({ isManual: true, isMovable: true })
  const ada = await connect(server.url('/api/late'))
  ada.send('hello')
  await expect.poll(async () => (await client.clock.now()).next).toBe(20_000)
  expect(await client.clock.advance('19s')).toMatchObject({ now: before.now + 19_000, next: 1000 })
  const ran = await client.clock.runNext()
  fits('ControlClock', ran)
  expect(ran.now).toBe(before.now + 20_000)
  expect(await ada.json()).toBe(ran.now)
  expect(await client.clock.resume()).toMatchObject({ isManual: false })
  const refused = { status: 409, message: 'the clock runs; stop it before with {"pause": true}' }
  await expect(client.clock.advance(1)).rejects.toMatchObject(refused)
  await expect(client.clock.advance('9000h')).rejects.toMatchObject({ status: 400 })
  await client.clock.pause()
  await client.reset()
  expect(await client.clock.now()).toMatchObject({ isManual: false })
})

test('what goes wrong is told', async () => {
  const { server, client } = await start()
  const failed = async (ask: Promise<unknown>) => {
    const error = await ask.then(() => undefined, (error: unknown) => error as ControlFailure)
    expect(error).toBeInstanceOf(ControlFailure)
    return [error!.status, error!.message]
  }
  const url = `http://127.0.0.1:${server.port}`
  expect(await failed(client.connection('x'))).toEqual([404, 'there is no connection "x"; it may have closed'])
  expect(await failed(client.rooms({ limit: 0 }))).toEqual([400, 'limit: expected a number from 1 to 1000, got "0"'])
  expect(await failed(control(url, { token: 'another token' }))).toEqual([401, 'the token is wrong; the server prints it when it starts'])
  expect(await failed(client.events({ kinds: ['opend' as 'opened'] }))).toEqual([400, 'kinds: there is no "opend"; did you mean "opened"?'])
  const other = await serve([])
  expect((await failed(control(`http://127.0.0.1:${other.port}`, { token: 'x' })))[1]).toMatch(/there is no control API at .*; is it switched on\?/)
  await other.stop()
  expect(await failed(control(`http://127.0.0.1:${other.port}`, { token: 'x' }))).toMatchObject([0, expect.stringContaining('does not answer')])
})

/** The compiler holds the client to the types of the document. */
export function typed(client: ControlClient): Promise<number> {
  return client.rooms().then(({ rooms }) => rooms.reduce((sum, { members }) => sum + members, 0))
}
