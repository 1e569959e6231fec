// Two tabs at two native servers that share a Redis: they chat, see each other, and outlive the server of one of them.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { createServer, type ViteDevServer } from 'vite'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { useBrowser } from './support/browser.js'
import { exampleFolder } from './support/example.js'
import { freePort } from './support/free-port.js'
import { startNative, type Native } from './support/native.js'
import { redisServer, useRedis } from './support/redis.js'

/** How long in ms the others keep what they know of a node that was killed. */
const lease = 3_000

const program = redisServer()
if (program === undefined) console.log('skipped: redis-server is missing')

describe.runIf(program !== undefined)('the example of a cluster', () => {
  const newContext = useBrowser()
  const redis = useRedis(program!)
  let folder: string
  let configuration: string
  let page: ViteDevServer
  let nodes: Native[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchboard-cluster-'))
    configuration = join(folder, 'switchboard.toml')
    const text = await readFile(join(exampleFolder('cluster'), 'switchboard.toml'), 'utf8')
    const url = 'url = "redis://127.0.0.1:6379"'
    expect(text).toContain(url)
    await writeFile(configuration, text.replace(url, `url = "redis://127.0.0.1:${redis()}"\nlease = ${lease}`))
    page = await createServer({
      root: exampleFolder('cluster'),
      configFile: false,
      cacheDir: join(folder, 'cache'),
      logLevel: 'warn',
      server: { host: '127.0.0.1', port: 0 },
    })
    await page.listen()
  })
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    nodes = []
  })
  afterAll(async () => {
    await page?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  /** A node, once it sees this many others. */
  const node = async (port: number, others: number, ...more: string[]): Promise<Native> => {
    const started = await startNative('--config', configuration, '--port', String(port), ...more)
    nodes.push(started)
    const seen = async () => (await (await fetch(`http://${started.address}/health`)).json()).cluster.others.length
    await expect.poll(seen, { timeout: 20_000 }).toBe(others)
    return started
  }

  const url = () => page.resolvedUrls!.local[0]!

  test('two tabs at two nodes chat, see each other, and lose nothing unnoticed when a node is killed', async () => {
    const [first, second] = [await node(await freePort(), 0), await node(await freePort(), 1)]
    const context = await newContext()
    const open = (name: string, servers: Native[]) => Tab.open(context.newPage(), url(), name, servers)
    const ada = await open('ada', [first, second])
    const bob = await open('bob', [second, first])
    for (const tab of [ada, bob]) await tab.sees(['ada', 'bob'])
    await ada.say('is anybody here?')
    await bob.hears('ada: is anybody here?')
    await bob.say('I am')
    await ada.hears('bob: I am')

    await first.kill()
    await ada.isAt(second)
    await bob.say('still there?')
    await ada.hears('bob: still there?')
    await ada.say('at the other one')
    await bob.hears('ada: at the other one')
    // Her connection at the dead node leaves with its lease.
    for (const tab of [ada, bob]) await tab.sees(['ada', 'bob'])
    // She is told that she may have missed something, unless it was all kept for her.
    const lines = await ada.lines()
    const history = ada.histories().at(-1)!
    expect(history.recovered).toBeTypeOf('boolean')
    expect(lines.filter((line) => line === 'What was said meanwhile is not known here.')).toHaveLength(
      history.recovered ? 0 : 1,
    )
    const heard = ['ada: is anybody here?', 'bob: I am', 'bob: still there?', 'ada: at the other one']
    expect(lines.filter((line) => line.includes(': '))).toEqual(heard)
    expect(await bob.lines()).toEqual(heard)

    // The node comes back as a new one, and whoever joins there is no stranger.
    const again = await node(Number(first.address.split(':')[1]), 1)
    const cid = await open('cid', [again])
    for (const tab of [ada, bob, cid]) await tab.sees(['ada', 'bob', 'cid'])
    await cid.say('hello from the new one')
    for (const tab of [ada, bob]) await tab.hears('cid: hello from the new one')
    await bob.page.close()
    for (const tab of [ada, cid]) await tab.sees(['ada', 'cid'])
    await context.close()
  })

  test('the inspector of a node shows the others', async () => {
    const first = await node(await freePort(), 0, '--control')
    const second = await node(await freePort(), 1)
    const name = async (node: Native) => (await (await fetch(`http://${node.address}/health`)).json()).cluster.node
    const context = await newContext()
    const page = await context.newPage()
    await page.goto(await vi.waitUntil(() => /http:\S+#token=\S+/.exec(first.printed())?.[0]))
    await page.locator('#views').getByText('Charts').click()
    const server = page.getByRole('region', { name: 'Server' })
    await server.getByText(`${await name(first)}, with ${await name(second)}`).waitFor()
    await server.getByText('linked', { exact: true }).waitFor()
    await second.stop()
    await server.getByText(`${await name(first)}, alone`).waitFor()
    await context.close()
  })

  test('what is said while a tab is away is shown to it when it comes back to its node', async () => {
    const [first, second] = [await node(await freePort(), 0), await node(await freePort(), 1)]
    const context = await newContext()
    const ada = await Tab.open(context.newPage(), url(), 'ada', [first])
    const bob = await Tab.open(context.newPage(), url(), 'bob', [second])
    for (const tab of [ada, bob]) await tab.sees(['ada', 'bob'])
    await bob.say('before')
    await ada.hears('bob: before')
    await ada.disconnect()
    await bob.sees(['bob'])
    for (const number of [1, 2, 3]) await bob.say(`meanwhile ${number}`)
    await bob.hears('bob: meanwhile 3')
    await ada.reconnect()
    await ada.hears('bob: meanwhile 3')
    const expected = ['bob: before', 'bob: meanwhile 1', 'bob: meanwhile 2', 'bob: meanwhile 3']
    expect(await ada.lines()).toEqual(expected)
    expect(ada.histories().at(-1)!.recovered).toBe(true)
    await context.close()
  })
})

/** A tab with one client. */
class Tab {
  readonly #received: string[] = []

  private constructor(readonly page: Page) {
    page.on('websocket', (socket) => {
      if (socket.url().includes('/room/')) socket.on('framereceived', ({ payload }) => this.#received.push(String(payload)))
    })
  }

  static async open(opening: Promise<Page>, url: string, name: string, servers: Native[]): Promise<Tab> {
    const tab = new Tab(await opening)
    await tab.page.addInitScript(WAITS_WHILE_AWAY)
    await tab.page.goto(`${url}?name=${name}&servers=${servers.map(({ address }) => address).join()}`)
    await tab.page.locator('[role=status]', { hasText: 'joined' }).waitFor()
    return tab
  }

  async say(text: string): Promise<void> {
    await this.page.getByLabel('Message').fill(text)
    await this.page.getByLabel('Message').press('Enter')
    await expect.poll(() => this.page.getByLabel('Message').inputValue()).toBe('')
  }

  async hears(line: string): Promise<void> {
    await this.page.locator('ol li', { hasText: line }).waitFor()
  }

  async sees(names: string[]): Promise<void> {
    await expect.poll(() => this.page.locator('ul li').allTextContents(), { timeout: 30_000 }).toEqual(names)
  }

  async isAt(node: Native): Promise<void> {
    await this.page.locator('h2', { hasText: `at ${node.address}` }).waitFor()
    await this.page.locator('[role=status]', { hasText: 'joined' }).waitFor()
  }

  lines(): Promise<string[]> {
    return this.page.locator('ol li').allTextContents()
  }

  /** What it was told of the history, where that is more than a position. */
  histories(): { recovered?: boolean }[] {
    const told = this.#received.map((text) => JSON.parse(text).history)
    return told.filter(({ recovered }) => recovered !== undefined)
  }

  /** Its connections break off, and new ones wait for `reconnect`. */
  async disconnect(): Promise<void> {
    await this.page.evaluate('goAway()')
    await this.page.locator('[role=status]', { hasText: 'closed' }).waitFor()
  }

  async reconnect(): Promise<void> {
    await this.page.evaluate('comeBack()')
    await this.page.locator('[role=status]', { hasText: 'joined' }).waitFor()
  }
}

/** In the page: sockets that break off, and reach nobody until the page is back. */
const WAITS_WHILE_AWAY = `{
  const sockets = new Set()
  const Native = window.WebSocket
  let away = false
  window.WebSocket = class extends Native {
    constructor(url) {
      super(away ? 'ws://127.0.0.1:1' : url)
      sockets.add(this)
    }
  }
  window.goAway = () => {
    away = true
    for (const socket of sockets) socket.close()
  }
  window.comeBack = () => (away = false)
}`
