/** A recording of 10,000 killmails for 200 subscribers over real sockets. */

import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { type Client, connect } from './support/client.js'
import { folder, serve } from './support/server.js'

const KILLS = 10_000
const SUBSCRIBERS = 200
const SYSTEMS = 50

/** The system of a kill; all have about as many. */
const systemOf = (kill: number) => 30_000_100 + (Math.floor((kill * 7919) / 7) % SYSTEMS)

/** The systems that a subscriber wants, each once. */
const wanted = (subscriber: number) => [0, 17, 34].map((step) => 30_000_100 + ((subscriber + step) % SYSTEMS))

const kills = Array.from({ length: KILLS }, (_, id) => ({ killmail_id: id, system_id: systemOf(id) }))

test.skipIf(process.platform === 'win32')(
  'each subscriber gets the kills of its systems once and in order',
  async () => {
    // Reading a pipe waits for its writer, so the replay begins when everyone has joined.
    const file = join(folder(), 'kills.jsonl')
    execFileSync('mkfifo', [file])
    const server = await serve([], {
      feeds: [{ name: 'killmails', key: ['system_id'], replay: { file, every: 1, batch: 50 } }],
      routes: [{ pattern: '/socket/websocket', dialect: 'phoenix', phoenix: { killmails: true } }],
    })
    const subscribers: Promise<number[]>[] = []
    for (let subscriber = 0; subscriber < SUBSCRIBERS; subscriber++) {
      const client = await connect(server.url('/socket/websocket?vsn=2.0.0'))
      client.send(['1', '1', 'killmails:lobby', 'phx_join', { systems: wanted(subscriber) }])
      expect((await client.json())[4].status).toBe('ok')
      subscribers.push(killsFor(client, expected(subscriber).length))
    }
    await writeFile(file, kills.map((kill) => JSON.stringify(kill)).join('\n'))
    for (const [subscriber, received] of (await Promise.all(subscribers)).entries()) {
      expect(received, `of subscriber ${subscriber}`).toEqual(expected(subscriber))
    }
  },
  60_000,
)

function expected(subscriber: number): number[] {
  const systems = wanted(subscriber)
  return kills.filter((kill) => systems.includes(kill.system_id)).map((kill) => kill.killmail_id)
}

/**
 * The ids of all kills that come, up to a status that is asked for after as many as there have to be; so one too many
 * is seen as well.
 */
async function killsFor(client: Client, number: number): Promise<number[]> {
  const received: number[] = []
  for (;;) {
    const [, , , event, payload] = await client.json()
    if (event === 'phx_reply') return received
    if (event !== 'killmail_update') continue
    received.push(...payload.killmails.map((kill: { killmail_id: number }) => kill.killmail_id))
    if (received.length === number) client.send(['1', '2', 'killmails:lobby', 'get_status', {}])
  }
}
