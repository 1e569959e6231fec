/** A running host takes another configuration. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'
import type { RouteOptions, WebSocketConnection } from 'vite-plugin-switchboard'

import type * as Attach from '../src/config/options.js'
import type * as SetUp from '../src/config/setup.js'
import type * as Supervisors from '../src/host/supervisor.js'
import type * as Logs from '../src/log/log.js'
import type * as Stacks from '../src/log/stack.js'
import { connect } from './support/client.js'
import { atEnd, collect, signal } from './support/server.js'

/** A module of what is shipped. */
const shipped = (path: string): Promise<any> => import(new URL(`../dist/${path}`, import.meta.url).href)

const { resolve } = (await shipped('config/options.js')) as typeof Attach
const { setUp } = (await shipped('config/setup.js')) as typeof SetUp
const { Supervisor } = (await shipped('host/supervisor.js')) as typeof Supervisors
const { Log } = (await shipped('log/log.js')) as typeof Logs
const { Stacks: StackLines } = (await shipped('log/stack.js')) as typeof Stacks

const setup = (routes: RouteOptions[], options: object = {}): SetUp.Setup => setUp(resolve({ routes, ...options }), '/')

async function serve(routes: RouteOptions[]): Promise<{ supervisor: Supervisors.Supervisor; url: (path: string) => string }> {
  const log = new Log(collect([]), undefined, new StackLines('/', undefined))
  const supervisor = new Supervisor(setup(routes), '/', log)
  const server = createServer()
  server.on('upgrade', (request, socket, head) => supervisor.host.upgrade(request, socket, head))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  atEnd(async () => {
    supervisor.dispose()
    await new Promise((closed) => server.close(closed))
  })
  return { supervisor, url: (path) => `ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}` }
}

const says = (text: string) => (connection: WebSocketConnection) => void connection.send(text)

test('functions change at once, connections keep their data, and what is gone is closed', async () => {
  const kept: RouteOptions = { pattern: '/kept', onMessage: says('kept') }
  const closed = signal<number>()
  const { supervisor, url } = await serve([
    { pattern: '/gone', onClose: (_, code) => closed.resolve(code) },
    { pattern: '/chat', onConnect: (connection) => void (connection.metadata.name = 'Ada'), onMessage: says('old') },
    kept,
  ])
  const [gone, chat, same] = [await connect(url('/gone')), await connect(url('/chat')), await connect(url('/kept'))]
  const done = supervisor.reconfigure(
    setup([
      { pattern: '/new', onMessage: says('new route') },
      kept,
      { pattern: '/chat', onMessage: (connection) => void connection.send(`new ${String(connection.metadata.name)}`) },
    ]),
  )
  expect(done?.summary).toBe('1 route changed, 1 added, 1 removed; 2 connections kept, 1 closed')
  expect(done?.unchanged).toBe(1)
  expect(await gone.ended).toEqual({ code: 1012, reason: 'The route was removed' })
  expect(await closed.promise).toBe(1012)
  chat.send('hi')
  expect(await chat.next()).toBe('new Ada')
  same.send('hi')
  expect(await same.next()).toBe('kept')
  const other = await connect(url('/new'))
  other.send('hi')
  expect(await other.next()).toBe('new route')
  expect(supervisor.host.routes.count(supervisor.host.routes.find('/chat')!, undefined)).toBe(1)
})

test('a function that runs ends, and its result counts', async () => {
  const [started, goOn] = [signal(), signal()]
  const { supervisor, url } = await serve([
    {
      pattern: '/',
      onMessage: async (connection) => {
        started.resolve()
        await goOn.promise
        connection.send('old')
      },
    },
  ])
  const client = await connect(url('/'))
  client.send('1')
  client.send('2')
  await started.promise
  supervisor.reconfigure(setup([{ pattern: '/', onMessage: says('new') }]))
  goOn.resolve()
  expect([await client.next(), await client.next()]).toEqual(['old', 'new'])
})

test('a mistake changes nothing', async () => {
  const { supervisor, url } = await serve([{ pattern: '/', onMessage: says('old') }])
  const client = await connect(url('/'))
  expect(() => supervisor.reconfigure(setup([{ pattern: '/', heartbaet: 1 } as RouteOptions]))).toThrow(
    'routes[0].heartbaet: unknown key; did you mean "heartbeat"?',
  )
  client.send('hi')
  expect(await client.next()).toBe('old')
})

test('the environment comes and goes before the routes', async () => {
  const { supervisor, url } = await serve([{ pattern: '/mine', onMessage: says('mine') }])
  const client = await connect(url('/mine'))
  const data = setup([{ pattern: '/mine', onMessage: says('still mine') }])
  const environment = { WEBSOCKET_ENABLED: 'true', WEBSOCKET_PATH: '/events' }
  supervisor.reconfigure({ ...data, data: { ...data.data, environment } })
  client.send('hi')
  expect(await client.next()).toBe('still mine')
  const events = await connect(url('/events'))
  expect((await events.json()).type).toBe('connected')
  expect(supervisor.reconfigure(setup([{ pattern: '/mine', onMessage: says('alone') }]))?.closed).toBe(1)
  expect((await events.ended).code).toBe(1012)
  client.send('hi')
  expect(await client.next()).toBe('alone')
})
