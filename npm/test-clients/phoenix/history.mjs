// What the npm package phoenix gets of what it missed: node history.mjs PORT [name of the package]
import assert from 'node:assert/strict'
import { WebSocket } from 'ws'
import { eventually } from './patience.mjs'

const [, , port, name = 'phoenix'] = process.argv
const { Socket } = await import(name)

/** Whether Ann is without a network. */
let isAway = false
let annsTransport

class Transport extends WebSocket {
  constructor(url, protocols) {
    // Nobody listens there.
    super(isAway ? 'ws://127.0.0.1:1/' : url, protocols)
    annsTransport = this
  }
}

function connect(user, transport) {
  const socket = new Socket(`ws://127.0.0.1:${port}/socket`, {
    transport,
    params: { user_id: user },
    rejoinAfterMs: () => 20,
    reconnectAfterMs: () => 20,
  })
  socket.connect()
  return socket
}

const received = (push) => eventually('reply ok', (done) => push.receive('ok', done))

const ann = connect('ann', Transport)
const bob = connect('bob', WebSocket)

// As the README shows it
let position
const annsRoom = ann.channel('room:history', () => ({ 'switchboard-history': position ?? true }))
annsRoom.onMessage = (event, payload) => {
  position = payload?.['switchboard-position'] ?? (event === 'switchboard:history' ? payload.position : position)
  return payload
}

const heard = []
let wake = () => {}
const note = (what) => {
  heard.push(what)
  wake()
}
annsRoom.on('shout', ({ n }) => note(n))
annsRoom.on('bytes', (bytes) => note([...new Uint8Array(bytes)].join()))
annsRoom.on('list', (list) => note(list))
annsRoom.on('switchboard:history', ({ recovered }) => recovered !== undefined && note(recovered ? 'recovered' : 'too late'))
const heardLast = (what) =>
  eventually(`${what}, but ${JSON.stringify(heard)}`, (done) => {
    wake = () => heard.at(-1) === what && done()
    wake()
  })

await received(annsRoom.join())
const bobsRoom = bob.channel('room:history', {})
await received(bobsRoom.join())
const told = []
bobsRoom.onMessage = (event, payload) => {
  if (!/^(presence|phx|chan_reply)/.test(event)) told.push([event, payload])
  return payload
}
const shout = (n) => received(bobsRoom.push('shout', { n }))

/** Ann loses her connection, which her client makes again when this is over. */
async function away(meanwhile) {
  isAway = true
  const closed = eventually('end of the connection', (done) => ann.onClose(done))
  annsTransport.terminate()
  await closed
  await meanwhile()
  isAway = false
}

await shout(1)
await heardLast(1)
await received(annsRoom.push('shout', { n: 'own' }))
await away(async () => {
  await shout(2)
  await received(bobsRoom.push('bytes', Uint8Array.of(1, 2, 255).buffer))
  await received(bobsRoom.push('list', 'three'))
  await shout(4)
})
await heardLast(4)
await shout(5)
await heardLast(5)
assert.deepEqual(heard, [1, 'recovered', 2, '1,2,255', 'three', 4, 5])

// Once more, with nothing missed
heard.length = 0
await away(async () => {})
await heardLast('recovered')

// More than is kept
heard.length = 0
await away(async () => {
  for (let n = 0; n < 21; n++) await shout(n)
})
await heardLast('too late')
await shout('last')
await heardLast('last')
assert.deepEqual(heard, ['too late', 'last'])

// Who has not asked hears what was said, and nothing else.
assert.deepEqual(told, [['shout', { n: 'own' }]])

for (const socket of [ann, bob]) await eventually('disconnect', (done) => socket.disconnect(done))
console.log(`${name}: gets what it missed`)
process.exit(0)
