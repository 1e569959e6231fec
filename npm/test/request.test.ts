/** The request that handlers see. */

import { expect, test } from 'vitest'
import type { WebSocketConnection } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { serve } from './support/server.js'

test('every connection has its own request, whatever the others asked', async () => {
  const connections: WebSocketConnection[] = []
  const server = await serve({
    pattern: '/{name}',
    parse: 'text',
    onConnect: (connection) => void connections.push(connection),
    onMessage: (connection) => connection.send(JSON.stringify(connection.req.headers)),
  })
  const long = 'x'.repeat(1000)
  // More than are remembered.
  for (let number = 0; number < 600; number++) {
    const path = `/api/${number % 2}?number=${number}`
    const client = await connect(server.url(path), { headers: { 'X-Number': `${number}`, 'X-Long': long, 'X-Same': 'same' } })
    client.send('?')
    expect(await client.json()).toMatchObject({ 'x-number': `${number}`, 'x-long': long, 'x-same': 'same', upgrade: 'websocket' })
    client.socket.terminate()
  }
  connections.forEach(({ req, path }, number) => {
    expect(path).toBe(`/api/${number % 2}`)
    expect(req.url).toBe(`/api/${number % 2}?number=${number}`)
    expect(req.params).toEqual({ name: `${number % 2}` })
    const at = req.rawHeaders.findIndex((name) => name.toLowerCase() === 'x-number')
    expect(req.rawHeaders[at + 1]).toBe(`${number}`)
  })
})

test('raw headers are named as the client wrote them', async () => {
  const server = await serve({ pattern: '/', onConnect: (connection, { rawHeaders }) => connection.send(rawHeaders) })
  const client = await connect(server.url('/api/'), { headers: { 'X-Number': '1' } })
  expect(await client.json()).toContain('X-Number')
})
