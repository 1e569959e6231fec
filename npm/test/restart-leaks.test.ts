/** What a hundred restarts of Vite leave behind. In a process of its own: other tests' servers may still be closing. */

import { expect, test } from 'vitest'

import { connect, refusal } from './support/client.js'
import { configuration, Project, versions } from './support/project.js'

const OPTIONS = "{ wsHandlers: [{ pattern: '/chat', onMessage: (conn) => conn.send('!') }] }"
const PATIENT = { timeout: 10_000 }
const [[, newest]] = versions as [(typeof versions)[number]]

test('a hundred restarts leave nothing behind', async () => {
  const project = new Project()
  project.write('vite.config.mjs', configuration(OPTIONS))
  await project.start(newest)
  const client = await connect(project.url('/api/chat'))
  const used = (): string[] => process.getActiveResourcesInfo().filter((name) => /^(TCP|Timeout|Tls|Pipe)/.test(name)).sort()
  const ask = async (): Promise<void> => {
    client.send('?')
    await client.next()
  }
  for (let time = 0; time < 3; time++) await project.restarted(() => project.server.restart())
  await ask()
  const before = used()
  for (let time = 0; time < 100; time++) await project.restarted(() => project.server.restart())
  await ask()
  await expect.poll(() => used().length, PATIENT).toBeLessThanOrEqual(before.length)
  expect(await refusal(project.url('/api/nowhere'))).toBe(404)
  await project.server.close()
  expect((await client.ended).code).toBe(1001)
}, 120_000)
