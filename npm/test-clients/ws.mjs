// The scene of every client, with the npm package ws: node ws.mjs ws://127.0.0.1:PORT/api/ws/chat
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { WebSocket } from 'ws'

const url = process.argv[2]
const patience = AbortSignal.timeout(30_000)
patience.onabort = () => assert.fail('the scene takes too long')

/** A connection whose messages wait until they are asked for. */
async function connect() {
  const socket = new WebSocket(url, { perMessageDeflate: { threshold: 0 } })
  const arrived = []
  let wake = () => {}
  socket.on('message', (data, isBinary) => {
    assert.equal(isBinary, false)
    arrived.push(JSON.parse(data.toString()))
    wake()
  })
  await once(socket, 'open')
  assert.match(socket.extensions, /^permessage-deflate/)
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    async expect(type) {
      for (;;) {
        while (arrived.length > 0) {
          const event = arrived.shift()
          if (event.type === type) return event
        }
        await new Promise((resolve) => (wake = resolve))
      }
    },
    async close() {
      socket.close(1000, 'done')
      const [code] = await once(socket, 'close')
      assert.equal(code, 1000)
    },
  }
}

const say = (client, text, room = 'ws') => client.send({ type: 'message', room, username: 'Ada', text })
const hears = async (client, text) => assert.equal((await client.expect('chat-message')).text, text)

const ada = await connect()
ada.send({ type: 'join-room', room: 'ws', username: 'Ada' })
say(ada, 'first')
await hears(ada, 'first')

const bob = await connect()
bob.send({ type: 'join-room', room: 'ws', username: 'Bob' })
assert.equal((await ada.expect('user-joined')).username, 'Bob')
for (const text of ['short', 'long '.repeat(20_000)]) {
  say(ada, text)
  await hears(ada, text)
  await hears(bob, text)
}

bob.send({ type: 'leave-room', room: 'ws' })
say(bob, 'from outside')
await hears(ada, 'from outside')
say(ada, 'alone')
await hears(ada, 'alone')
bob.send({ type: 'join-room', room: 'elsewhere', username: 'Bob' })
say(bob, 'afterwards', 'elsewhere')
await hears(bob, 'afterwards')

await Promise.all([ada.close(), bob.close()])
console.log('ws: passed')
process.exit()
