// The lines of the README that start a cluster, pasted into a shell: only the ports are others, and Cargo has built already.

import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { exampleFolder } from './support/example.js'
import { freePort } from './support/free-port.js'
import { program as switchboard } from './support/native.js'
import { redisServer } from './support/redis.js'

const newContext = useBrowser()
const readme = fileURLToPath(new URL('../../README.md', import.meta.url))

/** Instead of Cargo, which would build first: what `cargo run` runs. */
const cargo = `cargo() {
  [ "$1 $2" = 'run --' ] || { echo "not expected: cargo $*" >&2; return 1; }
  shift 2
  "$SWITCHBOARD_NATIVE" "$@"
}
`

const what = 'the lines of the README start two servers, and a page with a client at each'

test.skipIf(redisServer() === undefined)(what, async () => {
  const text = await readFile(readme, 'utf8')
  const block = /### Several servers as one\n\n```sh\n(.*?)```/s.exec(text)?.[1] ?? ''
  expect(block.trim().split('\n')).toHaveLength(5)

  const folder = await mkdtemp(join(tmpdir(), 'switchboard-readme-'))
  await cp(exampleFolder('cluster'), join(folder, 'examples/cluster'), { recursive: true })
  const ports = new Map<string, string>()
  for (const port of ['6379', '4004', '4005', '8000']) ports.set(port, String(await freePort()))
  const withPorts = (text: string) => text.replace(/\b(6379|4004|4005|8000)\b/g, (port) => ports.get(port)!)
  for (const file of ['switchboard.toml', 'client.js']) {
    const path = join(folder, 'examples/cluster', file)
    await writeFile(path, withPorts(await readFile(path, 'utf8')))
  }

  const env = { ...process.env, SWITCHBOARD_NATIVE: switchboard }
  // A group of its own, so that all that the lines start can be ended.
  const shell = spawn('bash', ['-c', cargo + withPorts(block)], { cwd: folder, env, detached: true })
  let printed = ''
  for (const output of [shell.stdout, shell.stderr]) output.on('data', (chunk) => (printed += chunk))
  const context = await newContext()
  try {
    await expect.poll(() => /^open (http:\S+)$/m.exec(printed)?.[1], { timeout: 20_000 }).toBeDefined()
    const url = /^open (http:\S+)$/m.exec(printed)![1]!
    await expect.poll(() => fetch(url).then(({ status }) => status, () => 0), { timeout: 20_000 }).toBe(200)
    const page = await context.newPage()
    await page.goto(url)
    const clients = page.locator('section')
    const names = ['4004', '4005'].map((port) => `guest of 127.0.0.1:${ports.get(port)}`)
    for (const client of [0, 1]) {
      const listed = () => clients.nth(client).locator('ul li').allTextContents()
      await expect.poll(listed, { timeout: 20_000, message: printed }).toEqual([...names].sort())
    }
    await clients.nth(0).getByLabel('Message').fill('hello over there')
    await clients.nth(0).getByLabel('Message').press('Enter')
    await clients.nth(1).locator('ol li', { hasText: `${names[0]}: hello over there` }).waitFor()
  } finally {
    await context.close()
    process.kill(-shell.pid!, 'SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
})
