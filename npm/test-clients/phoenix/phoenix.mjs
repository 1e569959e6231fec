// The npm package phoenix: node phoenix.mjs PORT [name of the package]
import assert from 'node:assert/strict'
import { WebSocket } from 'ws'
import { eventually } from './patience.mjs'

const [, , port, name = 'phoenix'] = process.argv
const { Presence, Socket } = await import(name)

/** A socket as browsers make one, with short times. */
function connect(user, path = '/socket') {
  const socket = new Socket(`ws://127.0.0.1:${port}${path}`, {
    transport: WebSocket,
    params: { user_id: user, client_identifier: user },
    heartbeatIntervalMs: 100,
    rejoinAfterMs: () => 20,
  })
  socket.connect()
  return socket
}

const received = (push, status = 'ok') => eventually(`reply ${status}`, (done) => push.receive(status, done))
const heard = (channel, event) =>
  eventually(event, (done) => {
    const ref = channel.on(event, (payload) => {
      channel.off(event, ref)
      done(payload)
    })
  })

const [ann, bob] = [connect('ann'), connect('bob')]

// Join, pushes, replies, broadcasts
const annsRoom = ann.channel('room:1', { name: 'Ann' })
const welcome = heard(annsRoom, 'welcome')
assert.deepEqual(await received(annsRoom.join()), {})
assert.deepEqual(await welcome, { hello: 'you' })
assert.deepEqual(await received(annsRoom.push('time', {})), { now: 5 })
const bobsRoom = bob.channel('room:1', {})
await received(bobsRoom.join())
const shout = heard(bobsRoom, 'shout')
assert.deepEqual(await received(annsRoom.push('shout', { text: 'hi' })), {})
assert.deepEqual(await shout, { text: 'hi' })
const bytes = heard(annsRoom, 'bytes')
await received(bobsRoom.push('bytes', Uint8Array.of(1, 2, 255).buffer))
assert.deepEqual([...new Uint8Array(await bytes)], [1, 2, 255])
assert.deepEqual(await received(ann.channel('nowhere', {}).join(), 'error'), { reason: 'unmatched topic' })

// Presence
const users = (presence) => presence.list((id, { metas }) => `${id}:${metas.length}`).sort()
const seen = (presence, wanted) =>
  eventually(`presence of ${wanted}`, (done) => {
    const look = () => users(presence).join() === wanted && done()
    presence.onSync(look)
    look()
  })
const annsLobby = ann.channel('room:lobby', {})
const presence = new Presence(annsLobby)
await received(annsLobby.join())
await seen(presence, 'ann:1')
const bobsLobby = bob.channel('room:lobby', {})
await received(bobsLobby.join())
await seen(presence, 'ann:1,bob:1')
const desk = connect('bob')
await received(desk.channel('room:lobby', {}).join())
await seen(presence, 'ann:1,bob:2')
desk.disconnect()
await received(bobsLobby.leave())
await seen(presence, 'ann:1')

// Heartbeats are answered, one after another, and so the connection lives.
let closes = 0
ann.onClose(() => closes++)
let answers = 0
await eventually('answers to three heartbeats', (done) => {
  ann.onMessage(({ topic, event, payload }) => {
    if (topic === 'phoenix' && event === 'phx_reply' && payload.status === 'ok' && ++answers === 3) done()
  })
})
assert.equal(closes, 0)

// The killmail channel as its documentation shows it
const kills = ann.channel('killmails:lobby', { systems: [30000142, 30002187] })
const joined = await received(kills.join())
assert.deepEqual(joined.subscribed_systems, [30000142, 30002187])
assert.deepEqual(await received(kills.push('subscribe_systems', { systems: [30000144, 30002659] })), {
  subscribed_systems: [30000142, 30000144, 30002187, 30002659],
})
await received(kills.push('unsubscribe_systems', { systems: [30000142] }))
const status = await received(kills.push('get_status', {}))
assert.deepEqual(status.subscribed_systems, [30000144, 30002187, 30002659])
assert.match(status.user_id, /^ann_\d{16}_[\w-]{11}$/)
assert.deepEqual(await received(kills.push('subscribe_systems', { systems: [0] }), 'error'), {
  reason: '[validation:invalid_system_ids] Invalid system IDs',
})

// A crash, and the client's own way back
const strict = connect('ann', '/strict')
const crashing = strict.channel('killmails:lobby', {})
let joins = 0
const rejoined = eventually('rejoin', (done) => crashing.join().receive('ok', () => ++joins === 2 && done()))
const errors = eventually('phx_error', (done) => crashing.onError(done))
await eventually('join', (done) => crashing.joinPush.receive('ok', done))
crashing.push('dance', {})
await errors
await rejoined
assert.equal((await received(crashing.push('get_status', {}))).subscribed_systems.length, 0)

for (const socket of [ann, bob, strict]) await eventually('disconnect', (done) => socket.disconnect(done))
console.log(`${name}: passed`)
process.exit(0)
