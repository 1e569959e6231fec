/** Feeds: posted, replayed from a file, and by themselves. */

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

import { type Client, connect } from './support/client.js'
import { atEnd, folder, type Running, serve, serveVite } from './support/server.js'

const routes = [{ pattern: '/', dialect: 'actions' as const }]

async function subscribe(server: Running): Promise<Client> {
  const client = await connect(server.url('/'))
  client.send({ action: 'sub', channel: 'kills' })
  client.socket.ping()
  await new Promise((resolve) => client.socket.once('pong', resolve))
  return client
}

for (const [host, start] of [
  ['a server of Node', (options: object) => serve([], options)],
  ['Vite', (options: object) => serveVite(options)],
] as const) {
  test(`${host}: what is posted reaches subscribers, in order`, async () => {
    const server = await start({ routes, feeds: [{ name: 'killmails', post: { token: 'secret', maxBody: 100 } }] })
    const client = await subscribe(server)
    const origin = server.url('').replace('ws', 'http')
    const post = (body: string, token = 'secret') =>
      fetch(`${origin}/feeds/killmails`, { method: 'POST', body, headers: { Authorization: `Bearer ${token}` } })
    const accepted = await post('{"n":1}\n{"n":2}')
    expect([accepted.status, await accepted.json()]).toEqual([202, { accepted: 2 }])
    expect((await post('3', 'wrong')).status).toBe(401)
    expect((await post('{')).status).toBe(400)
    expect((await post(JSON.stringify('x'.repeat(200)))).status).toBe(413)
    expect((await post('[3]')).status).toBe(202)
    for (const data of [{ n: 1 }, { n: 2 }, 3]) expect(await client.json()).toEqual({ action: 'kill', data })
    expect((await fetch(`${origin}/feeds/others`)).status).not.toBe(202)
  })
}

test('requests for other paths are left to the server', async () => {
  const server = await serve([], { routes, feeds: [{ name: 'killmails', post: true }] })
  const origin = server.url('').replace('ws', 'http')
  expect(await (await fetch(`${origin}/feeds/killmails`)).text()).toBe('http')
  expect((await fetch(`${origin}/feeds/killmails`, { method: 'POST', body: '1' })).status).toBe(202)
})

test('a recording is replayed once, and one that is not there is told', async () => {
  const file = join(folder(), 'kills.jsonl')
  writeFileSync(file, Array.from({ length: 1000 }, (_, n) => JSON.stringify({ n })).join('\n'))
  const replay = { every: 1, batch: 100, delay: 500 }
  const feeds = [
    { name: 'killmails', replay: { ...replay, file } },
    { name: 'missing', replay: { ...replay, file: 'missing.jsonl' } },
  ]
  const server = await serve([], { routes, feeds })
  const client = await subscribe(server)
  for (let n = 0; n < 1000; n++) expect(await client.json()).toEqual({ action: 'kill', data: { n } })
  expect(server.lines.join('\n')).toContain('missing.jsonl cannot be replayed: ENOENT')
})

test('an interval publishes by itself', async () => {
  const feeds = [{ name: 'killmails', interval: { every: 20, values: [{ n: '{counter.n 1 1}' }] } }]
  const client = await subscribe(await serve([], { routes, feeds }))
  const { data } = await client.json()
  expect((await client.json()).data.n).toBe(data.n + 1)
})

test('a feed takes what another server says, and comes back to it after a break', async () => {
  const other = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(other, 'listening')
  atEnd(() => other.close())
  const url = `ws://127.0.0.1:${(other.address() as AddressInfo).port}`
  const upstream = { url, headers: { Authorization: 'Bearer secret' }, send: ['all'], field: 'data', retry: 10 }
  const came = once(other, 'connection')
  const said: string[] = []
  other.on('connection', (socket) => socket.on('message', (data) => said.push(data.toString())))
  const server = await serveVite({ routes, feeds: [{ name: 'killmails', upstream }] })
  let [socket, request] = (await came) as [WebSocket, IncomingMessage]
  expect(request.headers.authorization).toBe('Bearer secret')
  const client = await subscribe(server)
  socket.send('{"type":"killmail","data":{"n":1}}')
  expect(await client.json()).toEqual({ action: 'kill', data: { n: 1 } })

  const again = once(other, 'connection')
  socket.terminate()
  ;[socket] = (await again) as [WebSocket]
  await once(socket, 'message')
  expect(said).toEqual(['all', 'all'])
  socket.send('{"data":{"n":2}}')
  expect(await client.json()).toEqual({ action: 'kill', data: { n: 2 } })
  const closed = once(socket, 'close')
  await server.stop()
  await closed
})
