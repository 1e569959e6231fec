// npm's ws, as an emitter and with the browser's interface, as the guide uses both: ws.mjs PORT

import assert from 'node:assert/strict'
import { once } from 'node:events'

import WebSocket from 'ws'

const PATIENCE = 20_000

const port = process.argv[2]
const timer = setTimeout(() => {
  console.error('ws: out of patience')
  process.exit(1)
}, PATIENCE)

/** As the guide's Node client: an emitter that waits for a notification. */
async function emitter() {
  const ws = new WebSocket(`ws://localhost:${port}/ws`)
  const kinds = []
  const notified = new Promise((resolve) => {
    ws.on('message', (data) => {
      const message = JSON.parse(data.toString())
      kinds.push(message.type)
      if (message.type === 'event' && message.name === 'notifications') resolve(message.data)
    })
  })
  await once(ws, 'open')
  ws.send(JSON.stringify({ type: 'subscribe', event: 'notifications' }))
  assert.deepEqual(await notified, { message: 'System update', type: 'info' })
  assert.equal(kinds[0], 'connected')
  // Three heartbeats: ws answers pings by itself, so it is still there.
  for (let pings = 0; pings < 3; pings++) await once(ws, 'ping')
  assert.equal(ws.readyState, WebSocket.OPEN)
  ws.close(1000)
  const [code] = await once(ws, 'close')
  assert.equal(code, 1000)
}

/** As the guide's page: properties instead of listeners, one request after another. */
async function page() {
  const ws = new WebSocket(`ws://localhost:${port}/ws`)
  const waiting = []
  ws.onmessage = ({ data }) => {
    const message = JSON.parse(data)
    const index = waiting.findIndex(({ type }) => type === message.type)
    if (index >= 0) waiting.splice(index, 1)[0].resolve(message)
  }
  const next = (type) => new Promise((resolve) => waiting.push({ type, resolve }))
  const greeting = next('connected')
  await new Promise((resolve) => (ws.onopen = resolve))
  assert.match((await greeting).clientId, /^client-/)
  const ask = (message, answer) => {
    const answered = next(answer)
    ws.send(JSON.stringify(message))
    return answered
  }
  assert.equal((await ask({ type: 'subscribe', event: 'ticker' }, 'subscribed')).event, 'ticker')
  assert.deepEqual((await next('event')).type, 'event')
  assert.equal((await ask({ type: 'unsubscribe', event: 'ticker' }, 'unsubscribed')).event, 'ticker')
  const { data } = await ask({ type: 'request', event: 'ticker' }, 'response')
  assert.deepEqual(data, { symbol: 'MOCK', price: 100.5, change: 1.25 })
  assert.match((await ask({ type: 'ping' }, 'pong')).timestamp, /^\d{4}-.*Z$/)
  assert.equal((await ask({ type: 'subscribe', event: 'none' }, 'error')).error, "Event 'none' not found")
  const stats = await (await fetch(`http://localhost:${port}/admin/websocket/stats`)).json()
  assert.deepEqual(stats.data, { enabled: true, connectedClients: 1, proxyConnections: 0 })
  ws.close()
  await new Promise((resolve) => (ws.onclose = resolve))
}

/** Who answers no ping is dropped without a close frame. */
async function deaf() {
  const ws = new WebSocket(`ws://localhost:${port}/ws`, { autoPong: false })
  const [code] = await once(ws, 'close')
  assert.equal(code, 1006)
}

await emitter()
await page()
await deaf()
clearTimeout(timer)
console.log('ws, with events: passed')
