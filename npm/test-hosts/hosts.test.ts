/** The same handler files on both hosts: what they do is one. */

import { once } from 'node:events'
import { join } from 'node:path'

import { createServer } from 'vite'
import { WebSocketServer } from 'ws'
import { switchboard } from 'vite-plugin-switchboard'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { type Client, connect, dial, disconnectAll, refusal } from '../test/support/client.js'
import { startNative } from '../test-browser/support/native.js'

const app = join(import.meta.dirname, 'app')
const ws = { plugin: '', native: '' }
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  process.env.TARGET = await startTarget()
  const vite = await createServer({
    configFile: false,
    root: app,
    plugins: [switchboard({ files: 'ws/**/*.ts' })],
    logLevel: 'silent',
    server: { host: '127.0.0.1', port: 0, watch: null },
  })
  await vite.listen()
  stops.push(() => vite.close())
  const { port } = vite.httpServer!.address() as { port: number }
  ws.plugin = `ws://127.0.0.1:${port}/api`
  const here = process.cwd()
  process.chdir(app)
  const native = await startNative('serve', 'ws/**/*.ts').finally(() => process.chdir(here))
  stops.push(native.stop)
  ws.native = `ws://${native.address}/api`
})

/** Another server, which sends everything back; its address. */
async function startTarget(): Promise<string> {
  const target = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(target, 'listening')
  target.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })))
  stops.push(async () => {
    for (const socket of target.clients) socket.terminate()
    target.close()
  })
  return `ws://127.0.0.1:${(target.address() as { port: number }).port}`
}

afterEach(disconnectAll)
afterAll(async () => {
  for (const stop of stops) await stop()
})

const options = { protocols: ['v2', 'v3'], headers: { 'x-two': 'a, b' } }

test('each check gives the same', async () => {
  const [plugin, native] = await Promise.all([ws.plugin, ws.native].map((host) => connect(`${host}/ws/checks?a=1`, options)))
  const ask = async (client: Client, check: string): Promise<any> => {
    client.send({ check })
    return client.json()
  }
  const names: string[] = await ask(plugin!, 'list')
  expect(await ask(native!, 'list')).toEqual(names)
  expect(names.length).toBeGreaterThanOrEqual(20)
  for (const name of names) {
    const expected = await ask(plugin!, name)
    expect(expected.check, JSON.stringify(expected)).toBe(name)
    expect.soft(await ask(native!, name), name).toEqual(expected)
  }
})

describe.each(['plugin', 'native'] as const)('%s', (host) => {
  const at = (path: string, options = {}) => connect(`${ws[host]}${path}`, options)

  test('functions are awaited in order, and broadcasts go to whom they are for', async () => {
    const [ada, bob] = [await at('/ordered'), await at('/ordered')]
    for (const client of [ada, bob]) expect(await client.next()).toBe('connected')
    ada.send({ wait: 30, done: 1 })
    ada.send({ done: 2 })
    expect([await ada.json(), await ada.json()]).toEqual([{ done: 1 }, { done: 2 }])
    ada.send({ all: 'all' })
    ada.send({ others: 'others' })
    ada.send({ join: 'x', rooms: ['to x', 'x'] })
    ada.send({ mine: 'mine' })
    ada.send({ leave: true, rooms: ['to lobby', 'lobby'], done: 3 })
    expect([await ada.next(), await ada.next(), await ada.json()]).toEqual(['all', 'mine', { done: 3 }])
    expect([await bob.next(), await bob.next(), await bob.next(), await bob.next()]).toEqual(['all', 'others', 'mine', 'to lobby'])
  })

  test('pings, pongs, and how connections end', async () => {
    const observer = await at('/seen')
    const ada = await at('/ordered')
    expect(await ada.next()).toBe('connected')
    ada.send({ ping: 'hey' })
    expect(await ada.json()).toEqual({ pong: 'hey', is: true })
    const pong = new Promise((resolve) => ada.socket.once('pong', (data) => resolve(data.toString())))
    ada.socket.ping('x')
    expect(await pong).toBe('x!')
    ada.send({ close: [4001, 'bye'] })
    expect(await ada.ended).toEqual({ code: 4001, reason: 'bye' })
    let first = await observer.json()
    // Those of the test before are cut off, and may end only now.
    while (first[1] === 1006) first = await observer.json()
    expect([first, await observer.json()]).toEqual([['closed'], ['onClose', 4001, 'bye', false, true, ['lobby']]])
    const bob = await at('/ordered')
    expect(await bob.next()).toBe('connected')
    await bob.close(4002)
    expect(await observer.json()).toEqual(['onClose', 4002, '', true, true, ['lobby']])
    const eve = await at('/ordered')
    expect(await eve.next()).toBe('connected')
    eve.send({ force: true })
    expect((await eve.ended).code).toBe(1006)
    expect((await observer.json()).slice(0, 2)).toEqual(['onClose', 1006])
  })

  test('errors reach the client, or onError', async () => {
    const client = await at('/failing')
    for (const [how, message] of [['sync', 'thrown'], ['text', 'a text'], ['nothing', 'undefined'], ['async', 'rejected'], ['', 'something that has no text was thrown']]) {
      client.send(how)
      expect(await client.json()).toEqual({ type: 'error', message })
    }
    expect(await dial(`${ws[host]}/failing?refuse`).ended).toMatchObject({ code: 1011 })
    const taking = await at('/taking')
    taking.send('error')
    expect(await taking.json()).toEqual([true, 'RangeError', 'mine', null])
    taking.send('text')
    expect(await taking.json()).toEqual([true, 'Error', 'text', 'text'])
  })

  test('messages are what parse, transformRawData, responses and schemas make of them', async () => {
    const made = async (path: string, messages: unknown[]): Promise<unknown[]> => {
      const client = await at(path)
      const all = []
      for (const message of messages) {
        client.send(message)
        all.push(await client.json())
      }
      return all
    }
    const messages = ['{"a":1}', 'plain', '', Buffer.from([1, 255])]
    expect(await made('/raw/json', messages)).toEqual([['object', false, { a: 1 }], ['string', false, 'plain'], ['string', false, ''], ['object', true, '01ff']])
    expect(await made('/raw/text', messages)).toEqual([['string', false, '{"a":1}'], ['string', false, 'plain'], ['string', false, ''], ['object', true, '01ff']])
    expect(await made('/raw/none', messages.slice(1))).toEqual([['object', true, '706c61696e'], ['object', true, ''], ['object', true, '01ff']])
    expect(await made('/transform', ['x', 'xx', '', 'four'])).toEqual([
      { length: 1, is: true }, { two: true }, { type: 'error', message: 'empty' }, ['other', { length: 4, is: true }],
    ])
    expect(await made('/validated', [{ n: 1 }, { n: 'x' }])).toEqual([{ n: 2 }, { type: 'error', message: 'the message does not fit: n: expected a number' }])
  })

  test('authenticate decides', async () => {
    expect(await (await at('/guarded/yes')).json()).toEqual(['none', false, 'yes'])
    expect(await (await at('/guarded/data')).json()).toEqual([{ name: 'Ada', at: '1970-01-01T00:00:00.000Z' }, true, 'data'])
    for (const [who, status] of [['no', 401], ['status', 429], ['throws', 500], ['other', 401]] as const) {
      expect(await refusal(`${ws[host]}/guarded/${who}`), who).toBe(status)
    }
    expect(await dial(`${ws[host]}/guarded/code`).ended).toEqual({ code: 4001, reason: 'go away' })
    expect(await (await at('/token?t=secret')).json()).toEqual({ role: 'admin' })
    expect(await refusal(`${ws[host]}/token?t=other`)).toBe(401)
  })

  test('channels of Phoenix', async () => {
    const client = await at('/socket/websocket?vsn=2.0.0')
    let ref = 0
    const push = async (event: string, payload: unknown = {}): Promise<any> => {
      client.send(['1', String(++ref), 'room:a', event, payload])
      return client.json()
    }
    expect((await push('phx_join', { name: 'Mallory' }))[4]).toEqual({ status: 'error', response: { reason: 'not you' } })
    expect((await push('phx_join', { name: 'Ada' }))[4]).toEqual({ status: 'ok', response: { welcome: 'Ada', topic: 'room:a' } })
    expect((await push('whoami'))[4]).toEqual({ status: 'ok', response: { name: 'Ada', isOpen: true } })
    expect((await push('shout', { text: 'hi' })).slice(3)).toEqual(['shout', { from: 'Ada', text: 'hi' }])
    expect((await push('later'))[4]).toEqual({ status: 'ok', response: { late: true } })
    expect((await push('unknown'))[4]).toEqual({ status: 'error', response: { reason: 'unmatched event' } })
    const [first, second] = [await push('present'), await client.json()]
    expect([first[3], second[3]].sort()).toEqual(['phx_reply', 'presence_diff'])
    expect((await push('stop'))[3]).toMatch(/^phx_(reply|close)$/)
    expect((await client.json())[3]).toMatch(/^phx_(reply|close)$/)
    const events = await at('/events')
    events.send('')
    expect(await events.json()).toContainEqual(['leave', 'stopped', 'Ada'])
  })

  test('functions look at what passes a proxy', async () => {
    const client = await at('/inspected')
    for (const message of ['text', 'drop', 'fail', 'bytes', Buffer.from('ab'), 'drop it here', 'who', 'last']) client.send(message)
    const heard = []
    for (let count = 0; count < 5; count++) heard.push(await client.next())
    expect(heard).toEqual(['text!', '2 bytes', '4 bytes', '/api/inspected string!', 'last!'])
  })

  test('server events, rules, and a dialect with functions beside it', async () => {
    const events = await at('/events')
    const happened = async (): Promise<unknown[]> => {
      events.send('')
      return events.json()
    }
    const client = await at('/echo')
    client.send('{"a":1}')
    expect(await client.next()).toBe('{"a":1}')
    await expect.poll(happened).toContainEqual(['echo', { a: 1 }])
    const rules = await at('/rules')
    rules.send({ type: 'hi' })
    expect(await rules.json()).toEqual({ type: 'hello' })
  })
})
