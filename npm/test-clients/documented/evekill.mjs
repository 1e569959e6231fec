// The example of EVE-KILL's documentation: node evekill.mjs PORT [port to publish at]
import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { WebSocket as NodeWebSocket } from 'ws'
import { CLIENTS, finish, run } from './snippet.mjs'

const [, , port, origin = port] = process.argv

const EXAMPLE = (address) => `
const socket = new WebSocket('${address}'); // Or your production WebSocket URL

socket.onopen = () => {
  console.log('WebSocket connection established.');
  // Subscribe to kills channel
  socket.send(JSON.stringify({ action: 'sub', channel: 'kills' }));
};

socket.onmessage = (event) => {
  const message = JSON.parse(event.data);
  if (message.action === 'kill' && message.data) {
    console.log('New killmail received:', message.data);
    // Process the new killmail data (e.g., update UI)
  }
};

socket.onclose = () => {
  console.log('WebSocket connection closed.');
};

socket.onerror = (error) => {
  console.error('WebSocket error:', error);
};
`

const kill = { killmail_id: 123456789, total_value: 150000000, victim: { ship_name: { en: 'Rifter' } } }

async function publish(value) {
  const response = await fetch(`http://127.0.0.1:${origin}/feeds/killmails`, {
    method: 'POST',
    body: JSON.stringify(value),
  })
  assert.deepEqual([response.status, await response.json()], [202, { accepted: 1 }])
}

for (const [name, WebSocket] of CLIENTS) {
  for (const path of ['', '/ws']) {
    const { socket, logged } = run(EXAMPLE(`ws://localhost:${port}${path}`), ['socket'], WebSocket)
    await logged('WebSocket connection established.')
    // A sub has no answer: publish until the first kill comes.
    let isThere = false
    const first = logged('New killmail received:').finally(() => (isThere = true))
    while (!isThere) await publish(kill)
    assert.deepEqual(await first, kill)
    socket.send(JSON.stringify({ action: 'unsub', channel: 'kills' }))
    socket.close()
    await logged('WebSocket connection closed.')
    console.log(`EVE-KILL's example with ${name} at ${path || '/'}: passed`)
  }
}

// A front end of today: topics.
const socket = new NodeWebSocket(`ws://127.0.0.1:${port}/killmails`)
// Two messages may come in one packet, so none may depend on being awaited in time.
const messages = on(socket, 'message')
const next = async () => JSON.parse((await messages.next()).value[0])
assert.equal((await next()).type, 'info')
socket.send(JSON.stringify({ type: 'subscribe', topics: ['all', 'bigkills'] }))
assert.deepEqual(await next(), { type: 'subscribed', data: { topics: ['all', 'bigkills'] } })
const received = next()
await publish(kill)
assert.deepEqual(await received, { type: 'killmail', data: kill })
socket.close()
await once(socket, 'close')
console.log('topics: passed')
finish()
