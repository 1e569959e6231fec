/// <reference path="../test/support/phoenix.d.ts" />
/** Handlers and the configuration are edited while clients talk: nothing is lost, and nothing is said twice. */

import { Presence, Socket } from 'phoenix'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { BrowserContext } from 'playwright-core'
import * as vite from 'vite'
import { WebSocket } from 'ws'

import { Project } from '../test/support/project.js'
import { useBrowser } from './support/browser.js'
import { pageTalker, pythonTalker, type Said, type Talker, wsTalker } from './support/talker.js'

const HANDLER_EDITS = 20
const CONFIGURATION_EDITS = 10
const python = process.env.SWITCHBOARD_PYTHON

const newContext = useBrowser()
let context: BrowserContext
let talkers: Talker[] = []
beforeEach(async () => {
  context = await newContext()
})
afterEach(async () => {
  for (const talker of talkers.splice(0)) await talker.end()
  await context.close()
})

const handler = (version: number): string => `
import { defineHandler } from 'vite-plugin-switchboard'

export default defineHandler({
  pattern: '/talk',
  onConnect: (conn) => conn.joinRoom('all'),
  onMessage(conn, said: { from: string; number: number }) {
    conn.broadcast({ ...said, version: ${version} }, { room: 'all', includeSelf: true })
  },
})
`

const configuration = (version: number): string => `
import { switchboard } from 'vite-plugin-switchboard'

export default {
  plugins: [
    switchboard({
      files: 'ws/**/*.ts',
      routes: [
        { pattern: '/socket/websocket', dialect: 'phoenix', phoenix: { channels: [{ topic: 'room:*', presence: true, echo: true }] } },
        { pattern: '/version-${version}', dialect: 'echo' },
      ],
    }),
  ],
  server: { host: '127.0.0.1', port: 0 },
}
`

/** A project that serves both, and a page that is not Vite's. */
async function start(): Promise<Project> {
  const project = new Project()
  project.write('vite.config.mjs', configuration(0))
  project.write('ws/talk.ts', handler(0))
  project.write('public/plain.txt', 'a page without the client of Vite, which would reload it after a restart')
  project.write('index.html', '<!doctype html><title>a page with it</title><script type="module">import.meta.hot</script>')
  await project.start(vite)
  return project
}

/** Two tabs, Python's and Node's clients, all talking. */
async function talk(project: Project, page: string): Promise<void> {
  const url = project.url('/api/talk')
  for (const name of ['first tab', 'second tab']) {
    const tab = await context.newPage()
    await tab.goto(project.url(page).replace('ws:', 'http:'))
    talkers.push(await pageTalker(tab, url, name))
  }
  talkers.push(await wsTalker(url, 'ws'))
  if (python) talkers.push(await pythonTalker(python, url, 'Python'))
}

/** How many of the newest messages of a talker come of this version. */
const isHeard = async (version: number): Promise<boolean> => {
  const heard = (await talkers[2]!.heard()) as (Said & { version: number })[]
  return heard.at(-1)?.version === version
}

/** From when all of them talk, each hears each of the others' numbers once, in order, and misses none. */
async function expectAllHeard(): Promise<void> {
  const said = new Map<string, number>()
  for (const talker of talkers) said.set(talker.name, await talker.stop())
  for (const talker of talkers) {
    expect([talker.name, await talker.closed()]).toEqual([talker.name, undefined])
    for (const [from, count] of said) {
      const numbers = async (): Promise<number[]> =>
        (await talker.heard()).filter((one) => one.from === from).map(({ number }) => number)
      await expect.poll(async () => (await numbers()).at(-1), { timeout: 10_000 }).toBe(count - 1)
      const heard = await numbers()
      // Who comes later has missed the first ones.
      expect(heard, `${talker.name} hears ${from}`).toEqual(Array.from(heard, (_, index) => heard[0]! + index))
      if (talker.name === from) expect(heard[0]).toBe(0)
      expect(count).toBeGreaterThan(20)
    }
  }
}

test('a handler is edited twenty times while two tabs, a Python client and a Node client talk', async () => {
  const project = await start()
  await talk(project, '/')
  const latencies: number[] = []
  for (let version = 1; version <= HANDLER_EDITS; version++) {
    await project[version % 2 === 0 ? 'save' : 'replace']('ws/talk.ts', handler(version))
    const before = performance.now()
    await expect.poll(() => isHeard(version), { timeout: 10_000, interval: 2 }).toBe(true)
    latencies.push(performance.now() - before)
  }
  await expectAllHeard()
  expect(project.lines.filter((line) => /reload|restart/.test(line))).toEqual([])
  const sorted = latencies.sort((a, b) => a - b).map(Math.round)
  console.log(`from the save until a client hears the new code: median ${sorted[10]} ms, longest ${sorted.at(-1)} ms`)
})

test('the configuration is edited ten times while they and Phoenix clients with presence talk', async () => {
  const project = await start()
  await talk(project, '/plain.txt')

  const phoenix = ['ann', 'bob'].map((user) => {
    const socket = new Socket(project.url('/socket'), { transport: WebSocket, params: { user_id: user } })
    const channel = socket.channel('room:lobby', { user_id: user })
    const presence = new Presence(channel)
    const events: string[] = []
    const heard: number[] = []
    socket.onClose(() => events.push('closed'))
    channel.onError(() => events.push('channel error'))
    presence.onLeave((id?: string) => events.push(`${id} left`))
    channel.on('said', ({ number }: { number: number }) => heard.push(number))
    socket.connect()
    return { socket, channel, presence, events, heard }
  })
  const ann = phoenix[0]!
  for (const { channel } of phoenix) {
    await new Promise((resolve, reject) => channel.join().receive('ok', resolve).receive('error', reject))
  }
  const present = (): number => Math.min(...phoenix.map(({ presence }) => presence.list().length))
  await expect.poll(present).toBe(2)
  let number = 0
  const timer = setInterval(() => ann.channel.push('said', { number: number++ }), 20)

  for (let version = 1; version <= CONFIGURATION_EDITS; version++) {
    const saved = version % 2 === 0 ? 'save' : 'replace'
    await project.restarted(() => project[saved]('vite.config.mjs', configuration(version)))
    const isServed = async (): Promise<boolean> => {
      const socket = new WebSocket(project.url(`/version-${version}`))
      return new Promise((resolve) => {
        socket.on('open', () => (socket.terminate(), resolve(true)))
        socket.on('error', () => resolve(false))
      })
    }
    await expect.poll(isServed, { timeout: 10_000 }).toBe(true)
  }
  clearInterval(timer)
  await expectAllHeard()
  for (const { events, heard } of phoenix) {
    await expect.poll(() => heard.at(-1)).toBe(number - 1)
    expect(heard).toEqual(Array.from({ length: number }, (_, index) => index))
    expect(events).toEqual([])
  }
  expect(present()).toBe(2)
  for (const { socket } of phoenix) socket.disconnect()
})

test('a mistake in a handler shows over the page until it is mended, and the page does not reload', async () => {
  const project = await start()
  const page = await context.newPage()
  await page.goto(project.url('/').replace('ws:', 'http:'))
  await page.evaluate(() => Object.assign(window, { isSamePage: true }))
  const overlay = page.locator('vite-error-overlay')
  for (const version of [1, 2]) {
    await project.save('ws/talk.ts', handler(version).replace('onMessage(conn,', 'onMessage(conn {,'))
    await overlay.waitFor({ state: 'attached' })
    expect(await overlay.evaluate(({ shadowRoot }) => shadowRoot!.textContent)).toContain('ws/talk.ts')
    await project.save('ws/talk.ts', handler(version))
    await overlay.waitFor({ state: 'detached' })
  }
  expect(await page.evaluate(() => 'isSamePage' in window)).toBe(true)
})
