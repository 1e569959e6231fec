// The examples of Rakit's documentation: node rakit.mjs PORT
import assert from 'node:assert/strict'
import { CLIENTS, finish, run } from './snippet.mjs'

const address = `ws://127.0.0.1:${process.argv[2]}/rakit`

const CHAT = `
const ws = new WebSocket('${address}');
ws.onopen = () => ws.send(JSON.stringify({ message: 'Hello!' }));
ws.onmessage = (event) => {
    const data = JSON.parse(event.data);
    if (data.type === 'presence') {
        console.log('Online users:', data.users);
    } else {
        console.log('Message:', data);
    }
};
`

const CONNECTION = `
const ws = new WebSocket('${address}');
ws.onmessage = (event) => {
    console.log('Received:', JSON.parse(event.data));
};
`

for (const [name, WebSocket] of CLIENTS) {
  const chat = run(CHAT, ['ws'], WebSocket)
  const [me] = (await chat.logged('Online users:')).slice(-1)
  assert.deepEqual(Object.keys(me), ['id', 'name', 'connected_at'])
  assert.deepEqual(await chat.logged('Message:'), { client_id: me.id, message: '{"message":"Hello!"}' })

  const other = run(CONNECTION, ['ws'], WebSocket)
  const { users } = await other.logged('Received:')
  const you = users.at(-1)
  const ws = chat.ws
  const heard = async (value) => assert.deepEqual(await other.logged('Received:'), value)

  ws.send(JSON.stringify({ message: 'Hello everyone!' }))
  await heard({ client_id: me.id, message: '{"message":"Hello everyone!"}' })
  ws.send(JSON.stringify({ to: you.id, message: 'Hello!' }))
  await heard({ client_id: me.id, message: 'Hello!' })

  other.ws.send(JSON.stringify({ event: 'subscribe', channel: 'chat' }))
  // A private message to itself says that the subscription is done.
  other.ws.send(JSON.stringify({ to: you.id, message: 'subscribed' }))
  await heard({ client_id: you.id, message: 'subscribed' })
  ws.send(JSON.stringify({ event: 'message', channel: 'chat', data: 'Hello channel!' }))
  await heard({ channel: 'chat', data: 'Hello channel!', client_id: me.id })

  ws.send(JSON.stringify({ command: 'broadcast', message: 'Server message' }))
  await heard({ client_id: me.id, message: 'Server message' })
  ws.send(JSON.stringify({ command: 'broadcast_to_channel', channel: 'chat', message: 'text' }))
  await heard({ client_id: me.id, message: 'text' })
  ws.send(JSON.stringify({ command: 'private_message', to: you.id, message: 'text' }))
  await heard({ client_id: me.id, message: 'text' })
  ws.send(JSON.stringify({ command: 'presence' }))
  assert.equal((await other.logged('Received:')).users.length, 2)

  const closed = new Promise((resolve) => other.ws.addEventListener('close', resolve))
  ws.send(JSON.stringify({ command: 'disconnect', client_id: you.id }))
  assert.equal((await closed).code, 1000)
  const gone = new Promise((resolve) => ws.addEventListener('close', resolve))
  ws.close()
  await gone
  console.log(`Rakit's examples with ${name}: passed`)
}
finish()
