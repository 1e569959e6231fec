// @supabase/realtime-js with both of its wire formats: node realtime.mjs PORT
import assert from 'node:assert/strict'
import { RealtimeClient } from '@supabase/realtime-js'
import { WebSocket } from 'ws'
import { eventually } from './patience.mjs'

const port = process.argv[2]

for (const vsn of ['1.0.0', '2.0.0']) {
  const client = () =>
    new RealtimeClient(`ws://127.0.0.1:${port}/socket`, { transport: WebSocket, params: { apikey: 'none' }, vsn })
  const [ann, bob] = [client(), client()]
  const subscribe = (channel) =>
    eventually('subscription', (done) => channel.subscribe((status) => status === 'SUBSCRIBED' && done()))
  const room = (realtime, key) =>
    realtime.channel(`room-${vsn}`, { config: { broadcast: { ack: true }, presence: { key } } })

  const annsRoom = room(ann, 'ann')
  const bobsRoom = room(bob, 'bob')
  const cursor = eventually('broadcast', (done) => bobsRoom.on('broadcast', { event: 'cursor' }, done))
  const bytes = eventually('bytes', (done) => bobsRoom.on('broadcast', { event: 'bytes' }, done))
  const present = eventually('presence', (done) =>
    bobsRoom.on('presence', { event: 'join' }, ({ key, newPresences }) => key === 'ann' && done(newPresences)),
  )
  const gone = eventually('farewell', (done) =>
    bobsRoom.on('presence', { event: 'leave' }, ({ key }) => key === 'ann' && done()),
  )
  await subscribe(bobsRoom)
  await subscribe(annsRoom)

  assert.equal(await annsRoom.send({ type: 'broadcast', event: 'cursor', payload: { x: 1 } }), 'ok')
  assert.deepEqual((await cursor).payload, { x: 1 })
  if (vsn === '2.0.0') {
    await annsRoom.send({ type: 'broadcast', event: 'bytes', payload: Uint8Array.of(7, 255).buffer })
    assert.deepEqual([...new Uint8Array((await bytes).payload)], [7, 255])
  }

  assert.equal(await annsRoom.track({ mood: 'fine' }), 'ok')
  assert.equal((await present)[0].mood, 'fine')
  assert.equal(bobsRoom.presenceState().ann[0].mood, 'fine')
  assert.equal(await annsRoom.untrack(), 'ok')
  await gone
  assert.equal(await ann.removeChannel(annsRoom), 'ok')
  await Promise.all([ann.disconnect(), bob.disconnect()])
}
console.log('@supabase/realtime-js: passed')
process.exit(0)
