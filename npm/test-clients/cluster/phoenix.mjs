// The npm package phoenix at two nodes of a cluster: node phoenix.mjs PORT PORT
import assert from 'node:assert/strict'
import { Presence, Socket } from 'phoenix'
import { WebSocket } from 'ws'
import { eventually } from '../phoenix/patience.mjs'

const [a, b] = process.argv.slice(2)

function connect(port) {
  const socket = new Socket(`ws://127.0.0.1:${port}/socket`, { transport: WebSocket })
  socket.connect()
  return socket
}

async function enter(socket, name) {
  const channel = socket.channel('room:lobby', { name })
  const presence = new Presence(channel)
  await eventually(`${name} joins`, (done) => channel.join().receive('ok', done))
  return { channel, presence }
}

const sees = ({ presence }, wanted) =>
  eventually(`presence of ${wanted}`, (done) => {
    const look = () => presence.list((id, { metas }) => `${id}:${metas.length}`).sort().join() === wanted && done()
    presence.onSync(look)
    look()
  })

const sockets = [a, b, a].map(connect)
const ann = await enter(sockets[0], 'ann')
const bob = await enter(sockets[1], 'bob')
for (const one of [ann, bob]) await sees(one, 'ann:1,bob:1')

// A second tab of Bob's, at the other node.
const tab = await enter(sockets[2], 'bob')
for (const one of [ann, bob, tab]) await sees(one, 'ann:1,bob:2')

const joins = []
ann.presence.onJoin((name) => joins.push(name))
const heard = eventually('what Ann says', (done) => bob.channel.on('said', done))
ann.channel.push('said', { text: 'hello over there' })
assert.deepEqual(await heard, { text: 'hello over there' })

sockets[1].disconnect()
for (const one of [ann, tab]) await sees(one, 'ann:1,bob:1')
tab.channel.leave()
await sees(ann, 'ann:1')
assert.deepEqual(joins, [])
const again = connect(b)
const back = await enter(again, 'bob')
for (const one of [ann, back]) await sees(one, 'ann:1,bob:1')
assert.deepEqual(joins, ['bob'])

for (const socket of [...sockets, again]) socket.disconnect()
console.log('phoenix on two nodes: passed')
