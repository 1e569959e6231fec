/** Who may come in. */

import { expect, test } from 'vitest'
import type { WebSocketHandler } from 'vite-plugin-switchboard'

import { connect, dial, handshake, raw, refusal } from './support/client.js'
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
  ['success: true', { success: true }],
  ['success: true beside a code', { success: true, code: 4001, status: 503 }],
]

/** The only line of the log: that a client was refused, which is nobody's mistake. */
function refusedWith(status: string): string {
  return `info [switchboard] an opening handshake for /api/ada is refused with HTTP ${status}`
}

test.each(admits)('%s admits', async (_, verdict) => {
  const { url } = await open(() => verdict as boolean)
  expect(await (await connect(url)).json()).toEqual({})
})

test.each([['false', false], ['a promise of false', Promise.resolve(false)], ['success: false', { success: false }]])('%s is 401', async (_, verdict) => {
  const { url, hooks, server } = await open(() => verdict as boolean)
  expect(await refusal(url)).toBe(401)
  expect(hooks).toEqual([])
  await expect.poll(() => server.lines).toEqual([refusedWith('401: Unauthorized')])
})

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'returned undefined'],
  ['null', null, 'returned null'],
  ['0', 0, 'returned 0'],
  ['1', 1, 'returned 1'],
  ['NaN', Number.NaN, 'returned NaN'],
  ['an empty text', '', 'returned an empty text'],
  ['text', 'no: hunter2', 'returned text'],
  ['another key', { ok: false, token: 'hunter2' }, 'returned an object with the keys ok, token'],
  ['another key that says yes', { ok: true }, 'returned an object with the key ok'],
  ['no key', {}, 'returned an object without keys'],
  ['a list', [true], 'returned a list'],
  ['a function', () => true, 'returned a function'],
  ['new Boolean(false)', new Boolean(false), 'returned an object without keys'],
  ['success as text', { success: 'false', data: 'hunter2' }, 'returned an object with the keys success, data whose success is text'],
  ['success as a number', { success: 1 }, 'whose success is 1'],
  ['a promise as success', { success: Promise.resolve(false) }, 'whose success is a promise, which has to be awaited first'],
  ['a promise of text', Promise.resolve('no'), 'returned text'],
])('%s refuses, and the log says what to write', async (_, verdict, shape) => {
  const { url, hooks, server } = await open(() => verdict as boolean)
  expect(await refusal(url)).toBe(401)
  expect(await refusal(url)).toBe(401)
  expect(hooks).toEqual([])
  await expect.poll(() => server.lines).toHaveLength(1)
  const [line] = server.lines as [string]
  expect(line).toMatch(/^warn \[switchboard\] authenticate for \/api\/ada returned /)
  expect(line).toContain(`${shape}: answered 401. Return true or { success: true, data } to let a client in`)
  expect(line).not.toContain('hunter2')
})

test('a status and headers', async () => {
  const { url, hooks, server } = await open(() => ({ success: false, status: 503, headers: { 'Retry-After': '5' } }))
  const answer = await raw(server.port, handshake(new URL(url).pathname))
  expect(answer).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/)
  expect(answer).toMatch(/\r\nretry-after: 5\r\n/i)
  await expect.poll(() => [hooks, server.lines]).toEqual([[], [refusedWith('503: Service Unavailable')]])
})

test.each<[string, object, string]>([
  ['a status that is none', { status: 200 }, 'status: expected 400 to 599, got 200'],
  ['a status as text', { status: '503' }, 'status: '],
  ['a status as a code', { code: 401 }, 'code: 401 is no close code; for an HTTP status write status = 401'],
  ['a code that cannot be sent', { code: 1006 }, 'code: close code 1006 cannot be sent'],
  ['NaN as a code', { code: Number.NaN }, 'code: '],
  ['both', { code: 4001, status: 503 }, 'write either code or status'],
  ['a reason that nobody sees', { reason: 'No token' }, 'reason: a browser sees a reason only beside a code'],
  ['a header of the response itself', { status: 503, headers: { 'Content-Length': '0' } }, 'headers.Content-Length: '],
  ['a header with a line break', { status: 503, headers: { 'x-a': 'a\r\nSet-Cookie: b' } }, 'headers.x-a: '],
])('%s is 401, and the log says why', async (_, refused, message) => {
  const { url, hooks, server } = await open(() => ({ success: false, ...refused }) as never)
  expect(await refusal(url)).toBe(401)
  expect(hooks).toEqual([])
  await expect.poll(() => server.lines).toHaveLength(1)
  expect(server.lines[0]).toContain(`refuses in a way that cannot be: ${message}`)
})

test('what is undefined or null in a refusal is not there', async () => {
  const { url, server } = await open(() => ({ success: false, code: undefined, reason: null, status: null, headers: undefined }) as never)
  expect(await refusal(url)).toBe(401)
  await expect.poll(() => server.lines).toEqual([refusedWith('401: Unauthorized')])
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

test.each([
  ['throws', () => { throw new Error('database is down') }],
  ['rejects', () => Promise.reject(new Error('database is down'))],
])('a function that %s is 500 and a line in the log', async (_, authenticate) => {
  const { url, server } = await open(authenticate)
  expect(await refusal(url)).toBe(500)
  await expect.poll(() => server.lines.some((line) => line.startsWith('error') && line.includes('database is down'))).toBe(true)
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
