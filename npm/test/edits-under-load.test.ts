/** Edits and restarts while clients send as fast as they can, and while they wait to be let in. */

import { expect, test } from 'vitest'

import { type Client, connect, dial } from './support/client.js'
import { configuration, Project, versions } from './support/project.js'

const [[, newest]] = versions as [(typeof versions)[number]]

/** For machines that do other things too. */
const PATIENT = { timeout: 10_000, interval: 10 }

/** Answers each message with how many came on this connection, and which version of the handler it is. */
const counting = (version: number): string => `{
  onMessage(conn, data) {
    conn.metadata.count = (conn.metadata.count ?? 0) + 1
    conn.send([data, conn.metadata.count, ${version}].join())
  },
}`

/** Sends numbers and checks that each comes back once and in order, from handlers that never get older. */
class Counter {
  /** The version that answered last. */
  version = 0
  #sent = 0
  #received = 0
  #isOver = false
  #done: Promise<void>

  constructor(readonly client: Client) {
    this.#done = this.#run()
  }

  async stop(): Promise<number> {
    this.#isOver = true
    await this.#done
    return this.#received
  }

  async #run(): Promise<void> {
    while (!this.#isOver || this.#received < this.#sent) {
      while (!this.#isOver && this.#sent - this.#received < 20) this.client.send(String(++this.#sent))
      const [number, count, version] = ((await this.client.next()) as string).split(',').map(Number)
      this.#received += 1
      expect([number, count]).toEqual([this.#received, this.#received])
      expect(version).toBeGreaterThanOrEqual(this.version)
      this.version = version!
    }
  }
}

async function counters(project: Project, path: string): Promise<Counter[]> {
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(project.url(path))))
  return clients.map((client) => new Counter(client))
}

async function end(all: Counter[], version: number): Promise<void> {
  await expect.poll(() => all.every((one) => one.version === version), PATIENT).toBe(true)
  for (const received of await Promise.all(all.map((one) => one.stop()))) expect(received).toBeGreaterThan(0)
}

test('edits of a handler file lose, repeat and reorder nothing of a flood', async () => {
  const project = new Project()
  const file = (version: number): string => `export default ${counting(version)}\n`
  project.write('ws/count.js', file(0))
  project.write('vite.config.mjs', configuration("{ files: 'ws/**/*.js' }"))
  await project.start(newest)
  const all = await counters(project, '/api/ws/count')
  for (let version = 1; version <= 10; version++) await project.save('ws/count.js', file(version))
  await end(all, 10)
  expect(project.lines.filter((line) => line.startsWith('error'))).toEqual([])
})

test('restarts of Vite lose, repeat and reorder nothing of a flood', async () => {
  const project = new Project()
  const config = (version: number): string =>
    configuration(`{ wsHandlers: [{ pattern: '/count', ...${counting(version)} }] }`)
  project.write('vite.config.mjs', config(0))
  await project.start(newest)
  const all = await counters(project, '/api/count')
  for (let version = 1; version <= 3; version++) {
    await project.restarted(() => project.save('vite.config.mjs', config(version)))
  }
  await end(all, 3)
})

test('who waits for authenticate at a restart is let in by whoever was asked', async () => {
  const project = new Project()
  const config = (version: number): string =>
    configuration(`{ wsHandlers: [{
      pattern: '/chat',
      authenticate: () => new Promise((resolve) => {
        globalThis.decide = () => resolve({ success: true, data: { version: ${version} } })
      }),
      onMessage: (conn) => conn.send(conn.authData.version + ' ' + ${version}),
    }] }`)
  project.write('vite.config.mjs', config(0))
  await project.start(newest)
  const client = dial(project.url('/api/chat'))
  const asked = globalThis as unknown as { decide?: () => void }
  await expect.poll(() => asked.decide, PATIENT).toBeDefined()
  await project.restarted(() => project.save('vite.config.mjs', config(1)))
  asked.decide!()
  await expect.poll(() => client.socket.readyState, PATIENT).toBe(client.socket.OPEN)
  client.send('?')
  expect(await client.next()).toBe('0 1')
})
