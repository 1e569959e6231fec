/** Who may come in. */

import { expect, test } from 'vitest'
import type { WebSocketHandler } from 'vite-plugin-switchboard'

import { connect, dial, refusal } from './support/client.js'
import { serve, signal } from './support/server.js'

async function open(authenticate: WebSocketHandler['authenticate'], more: Partial<WebSocketHandler> = {}) {
  const hooks: string[] = []
  const server = await serve({
    pattern: '/{user}',
    authenticate,
    onConnect: (connection) => {
      hooks.push('connect')
      connection.send({ authData: connection.authData })
    },
    onClose: () => void hooks.push('close'),
    ...more,
  })
  return { url: server.url('/api/ada?token=t'), hooks, server }
}

const admits: [string, unknown][] = [
  ['true', true],
  ['a promise of true', Promise.resolve(true)],
  ['a truthy value', 'yes'],
]

test.each(admits)('%s admits', async (_, verdict) => {
  const { url } = await open(() => verdict as boolean)
  expect(await (await connect(url)).json()).toEqual({})
})

test.each([['false', false], ['undefined', undefined], ['null', null], ['0', 0]])('%s is 401', async (_, verdict) => {
  const { url, hooks } = await open(() => verdict as boolean)
  expect(await refusal(url)).toBe(401)
  expect(hooks).toEqual([])
})

test('data becomes authData, as it is', async () => {
  class User {}
  const seen = signal<unknown>()
  const user = new User()
  const { url } = await open(async () => ({ success: true, data: { user } }), {
    onConnect: (connection) => seen.resolve(connection.authData.user),
  })
  await connect(url)
  expect(await seen.promise).toBe(user)
})

test('a code reaches the client after the handshake, and no hook runs', async () => {
  const { url, hooks } = await open(() => ({ success: false, code: 4001, reason: 'No token provided' }))
  expect(await (await connect(url)).ended).toEqual({ code: 4001, reason: 'No token provided' })
  expect(hooks).toEqual([])
})

test.each([[undefined], [401], [1006], [Number.NaN]])('the code %s is 401', async (code) => {
  const { url } = await open(() => ({ success: false, code }))
  expect(await refusal(url)).toBe(401)
})

test.each([
  ['throws', () => { throw new Error('database is down') }],
  ['rejects', () => Promise.reject(new Error('database is down'))],
])('a function that %s is 500 and a line in the log', async (_, authenticate) => {
  const { url, server } = await open(authenticate)
  expect(await refusal(url)).toBe(500)
  expect(server.lines.some((line) => line.startsWith('error') && line.includes('database is down'))).toBe(true)
})

test('it sees the request and its params', async () => {
  const { url } = await open(({ params, url }) => ({ success: true, data: { params, url } }))
  const { authData } = await (await connect(url)).json()
  expect(authData).toEqual({ params: { user: 'ada' }, url: '/api/ada?token=t' })
})

test('headers admit', async () => {
  const withTrue = await open(true)
  expect(await refusal(withTrue.url)).toBe(401)
  expect(await refusal(withTrue.url, { headers: { authorization: ' ' } })).toBe(401)
  await connect(withTrue.url, { headers: { authorization: 'Bearer x' } })
  const withName = await open('X-Key')
  expect(await refusal(withName.url)).toBe(401)
  await connect(withName.url, { headers: { 'x-key': '1' } })
})

test('tokens admit without code', async () => {
  const { url } = await open({
    token: { query: 'token', values: { t: { name: 'ada' } } },
    invalid: { code: 4002, reason: 'Invalid token' },
  })
  expect(await (await connect(url)).json()).toEqual({ authData: { name: 'ada' } })
  expect((await (await connect(url.replace('=t', '=x'))).ended).code).toBe(4002)
})

test('a client that leaves while it is examined is let go', async () => {
  const asked = signal()
  const verdict = signal<boolean>()
  const closed = signal<number>()
  const authenticate = () => {
    asked.resolve()
    return verdict.promise
  }
  const { url } = await open(authenticate, { onConnect: () => {}, onClose: (_, code) => closed.resolve(code) })
  const client = dial(url)
  await asked.promise
  client.socket.terminate()
  verdict.resolve(true)
  expect(await closed.promise).toBe(1006)
})

test('what a client sends too early is kept', async () => {
  const asked = signal()
  const verdict = signal<boolean>()
  const { server } = await open(() => { asked.resolve(); return verdict.promise }, {
    onConnect: () => {},
    onMessage: (connection, message) => connection.send(message),
  })
  const { connect: connectTcp } = await import('node:net')
  const { handshake } = await import('./support/client.js')
  const socket = connectTcp(server.port, '127.0.0.1')
  const hello = Buffer.from('818537fa213d7f9f4d5158', 'hex')
  socket.write(Buffer.concat([Buffer.from(handshake('/api/ada')), hello]))
  await asked.promise
  socket.write(hello)
  verdict.resolve(true)
  let answer = Buffer.alloc(0)
  await new Promise<void>((resolve) =>
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.toString('latin1').endsWith('\x81\x05Hello\x81\x05Hello')) resolve()
    }),
  )
  socket.destroy()
})
