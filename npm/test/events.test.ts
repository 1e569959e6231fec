/** The dialect `events` with the guide's own clients, and its variables in `.env` files. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { connect } from './support/client.js'
import { folder, serve, serveVite } from './support/server.js'

const TICKER = '[{"name":"ticker","interval":2000,"data":{"price":100}},{"name":"notifications","interval":0,"data":{"a":1}}]'

test('a project’s .env.local is enough', async () => {
  const root = folder()
  writeFileSync(
    join(root, '.env.local'),
    `# Enable WebSocket server\nWEBSOCKET_ENABLED=true\n\nWEBSOCKET_PATH=/ws\nWEBSOCKET_MOCK_EVENTS=${TICKER}\n` +
      'WEBSOCKET_HEARTBEAT_INTERVAL=30000\nWEBSOCKET_MAX_PAYLOAD=64\nHOST=ignored.example\nPORT=1\n',
  )
  const server = await serveVite({}, { root })
  const client = await connect(server.url('/ws'))
  const greeting = await client.json()
  expect(Object.keys(greeting)).toEqual(['type', 'clientId', 'timestamp', 'message'])
  client.send({ type: 'subscribe', event: 'ticker' })
  expect(await client.json()).toMatchObject({ type: 'event', name: 'ticker', data: { price: 100 } })
  expect(await client.json()).toMatchObject({ type: 'subscribed', event: 'ticker' })
  client.send({ type: 'request', event: 'notifications' })
  expect(await client.json()).toMatchObject({ type: 'response', event: 'notifications', data: { a: 1 } })
  client.send('x'.repeat(65))
  expect((await client.ended).code).toBe(1009)

  const stats = await fetch(`http://127.0.0.1:${server.port}/admin/websocket/stats`)
  expect(await stats.json()).toMatchObject({ success: true, data: { enabled: true, proxyConnections: 0 } })
})

test('another mode has other variables, and without any there is nothing', async () => {
  const root = folder()
  writeFileSync(join(root, '.env.production'), `WEBSOCKET_ENABLED=true\nWEBSOCKET_MOCK_EVENTS=${TICKER}\n`)
  const production = await serveVite({}, { root, mode: 'production' })
  const client = await connect(production.url('/ws'))
  expect((await client.json()).type).toBe('connected')
  const development = await serveVite({}, { root })
  expect(development.lines.join('\n')).not.toContain('/ws')
})

test('what is wrong with a variable is named', async () => {
  const environment = { WEBSOCKET_ENABLED: 'true', WEBSOCKET_MOCK_EVENTS: '[{' }
  await expect(serveVite({ environment })).rejects.toThrow('[switchboard] WEBSOCKET_MOCK_EVENTS: not JSON')
  await expect(serveVite({ environment: { WEBSOCKET_ENABLED: 'perhaps' } })).rejects.toThrow(
    'WEBSOCKET_ENABLED: expected true or false, got "perhaps"',
  )
})

test('what the environment asks for comes before handlers, and may ask for tokens', async () => {
  const environment = {
    WEBSOCKET_ENABLED: 'true',
    WEBSOCKET_MOCK_EVENTS: TICKER,
    AUTH_ENABLED: 'true',
    WEBSOCKET_AUTH_TOKENS: 's3cret,other',
  }
  const routes = ['/ws', '/own'].map((pattern) => ({
    pattern,
    onConnect: (connection: any) => connection.send({ type: `handler of ${pattern}` }),
  }))
  const server = await serve([], { routes, environment })
  const first = async (path: string, headers = {}) => {
    const client = await connect(server.url(path), { headers })
    return (await client.json()).type
  }
  await expect(first('/ws')).rejects.toThrow('401')
  await expect(first('/ws?token=no')).rejects.toThrow('401')
  expect(await first('/ws?token=s3cret')).toBe('connected')
  expect(await first('/ws', { authorization: 'Bearer other' })).toBe('connected')
  expect(await first('/own')).toBe('handler of /own')
})

test('the guide’s browser client', async () => {
  const server = await serve([], {
    routes: [{ pattern: '/ws', events: [{ name: 'ticker', interval: 50, data: { n: '{counter.n}' } }] }],
    environment: {},
  })
  // Not every Node has the browser's own; this one has its interface.
  const ws = new WebSocket(server.url('/ws'))
  const received: any[] = []
  await new Promise<void>((resolve, reject) => {
    ws.onopen = () => ws.send(JSON.stringify({ type: 'unsubscribe', event: 'ticker' }))
    ws.onmessage = (event) => {
      const message = JSON.parse(event.data as string)
      received.push(message)
      if (message.type === 'unsubscribed') ws.send(JSON.stringify({ type: 'ping' }))
      if (message.type === 'pong') resolve()
    }
    ws.onerror = () => reject(new Error('error'))
  })
  expect(received.map(({ type }) => type).filter((type) => type !== 'event')).toEqual(['connected', 'unsubscribed', 'pong'])
  ws.close()
})
