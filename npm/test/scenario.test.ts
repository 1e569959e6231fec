/** What fails a test whose client does not keep to a recording or a scenario. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { serve } from 'vite-plugin-switchboard/testing'
import { folder } from './support/server.js'

/** The next message. */
function next(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => socket.once('message', (data) => resolve(String(data))))
}

async function leave(socket: WebSocket): Promise<void> {
  const gone = new Promise((resolve) => socket.once('close', resolve))
  socket.close()
  await gone
}

test('a message that no step expects fails the test, with what differs', async () => {
  await using server = await serve({ scenario: [{ expect: { type: 'a' } }, { send: 'thanks' }] })
  const socket = new WebSocket(server.url('/'))
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send('{"type":"b"}')
  const thanks = next(socket)
  socket.send('{"type":"a"}')
  expect(await thanks).toBe('thanks')
  await leave(socket)
  expect(server.switchboard.stats().mismatches).toEqual({ '/**': 1 })
  await expect(server.verify()).rejects.toThrow(/1 message did not match on \/\*\*:\n.*type: recorded "a", got "b"/)
  await server.verify({ mismatches: true })
  await server.reset()
  await server.verify()
})

test('a recording of many parts reaches a client whole', async () => {
  const file = join(folder(), 'large.jsonl')
  const line = (at: number, rest: string): string => `{"at":${at},"connection":1,${rest}}\n`
  const message = line(1, `"type":"message","from":"server","json":"${'x'.repeat(65_000)}"`)
  const header = '{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.000Z"}\n'
  writeFileSync(file, header + line(0, '"type":"open","path":"/"') + message.repeat(500) + line(2, '"type":"close","by":"server","code":4000'))
  await using server = await serve({ replay: { file, speed: 'instant' } })
  const socket = new WebSocket(server.url('/'))
  let bytes = 0
  socket.on('message', (data: Buffer) => {
    bytes += data.length
  })
  const code = await new Promise((resolve) => socket.once('close', resolve))
  expect([code, bytes]).toEqual([4000, 500 * 65_002])
})
