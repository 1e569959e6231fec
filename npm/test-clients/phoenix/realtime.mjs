// @supabase/realtime-js with both of its wire formats, at a Phoenix socket and where Supabase has it: node realtime.mjs PORT
import assert from 'node:assert/strict'
import { RealtimeClient } from '@supabase/realtime-js'
import { WebSocket } from 'ws'
import { eventually } from './patience.mjs'

const port = process.argv[2]

const places = ['/socket', '/realtime/v1'].flatMap((path) => ['1.0.0', '2.0.0'].map((vsn) => [path, vsn]))
for (const [path, vsn] of places) {
  const client = () =>
    new RealtimeClient(`ws://127.0.0.1:${port}${path}`, { transport: WebSocket, params: { apikey: 'none' }, vsn })
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

  // Over HTTP, from a client that has not joined
  const hears = (event) =>
    eventually(event, (done) => bobsRoom.on('broadcast', { event }, ({ payload }) => done(payload)))
  const [early, sent, sentBytes] = ['early', 'sent', 'sent/bytes'].map(hears)
  const outside = client().channel(`room-${vsn}`)
  assert.equal(await outside.send({ type: 'broadcast', event: 'early', payload: { x: 2 } }), 'ok')
  assert.deepEqual(await early, { x: 2 })
  assert.deepEqual(await outside.httpSend('sent', { x: 3 }), { success: true })
  assert.deepEqual(await sent, { x: 3 })
  if (vsn === '2.0.0') {
    await outside.httpSend('sent/bytes', Uint8Array.of(9, 0))
    assert.deepEqual([...new Uint8Array(await sentBytes)], [9, 0])
  } else {
    sentBytes.catch(() => {})
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
