/** HAR files of a real Playwright as recordings, and recordings as HAR files in Chromium's own network panel. */

import { mkdtempSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { BrowserContextOptions } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { freePort } from './support/free-port.js'
import { runNative, useNative } from './support/native.js'

const folder = mkdtempSync(join(tmpdir(), 'switchboard-har-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const devToolsPort = await freePort()
const newContext = useBrowser(`--remote-debugging-port=${devToolsPort}`)
const native = useNative()

type Line = Record<string, unknown> & { at: number; type?: string; headers?: [string, string][]; responseHeaders?: [string, string][] }

/** What the program makes of a HAR file. */
async function converted(file: string, ...options: string[]): Promise<{ text: string; header: Line; events: Line[] }> {
  const output = join(folder, 'converted.jsonl')
  await runNative('convert', file, output, ...options)
  const text = await readFile(output, 'utf8')
  const [header, ...events] = text.trimEnd().split('\n').map((line) => JSON.parse(line) as Line)
  return { text, header: header!, events }
}

/** Lets a page talk with the server while Playwright records it. */
async function talk(recordHar: NonNullable<BrowserContextOptions['recordHar']>): Promise<void> {
  const context = await newContext({ recordHar })
  const page = await context.newPage()
  await page.goto(`http://${native()}/health`)
  const opened = page.waitForEvent('websocket', (socket) => socket.url().includes('/echo'))
  const closed = opened.then((socket) => socket.waitForEvent('close'))
  await page.evaluate(async () => {
    const refused = new WebSocket(`ws://${location.host}/nowhere`)
    await new Promise((resolve) => (refused.onclose = resolve))
    const socket = new WebSocket(`ws://${location.host}/echo?token=opensesame`)
    await new Promise((resolve) => (socket.onopen = resolve))
    for (const message of ['{"a": 1.0}', 'h\u00e9\n\u0000"', new Uint8Array([0, 1, 255]), '{"password": "opensesame"}']) {
      socket.send(message)
      await new Promise((resolve) => (socket.onmessage = resolve))
    }
    socket.close()
  })
  await closed
  await context.close()
}

/** What each message is answered with, too. */
const messages = [{ json: { a: 1 } }, { text: 'h\u00e9\n\u0000"' }, { binary: 'AAH/' }, { json: { password: '***' } }]

/** All that is said about the conversation in any way of storing it. */
function expectConversation({ header, events }: { header: Line; events: Line[] }, hasMessages = true): void {
  expect(header).toMatchObject({ switchboard: 'recording', version: 1, source: `ws://${native()}` })
  const [refused, open, ...rest] = events
  expect(refused).toMatchObject({ at: 0, connection: 1, type: 'refuse', path: '/nowhere', status: 404 })
  expect(open).toMatchObject({ connection: 2, type: 'open', path: '/echo?token=***', status: 101 })
  expect(open!.headers).toContainEqual(['origin', `http://${native()}`])
  expect(open!.responseHeaders).toContainEqual(['upgrade', 'websocket'])
  const message = { connection: 2, type: 'message', at: expect.any(Number) }
  const both = messages.flatMap((content) => ['client', 'server'].map((from) => ({ ...message, from, ...content })))
  expect(rest).toEqual(hasMessages ? both : [])
}

test.each([
  ['in the file', 'embedded.har', 'embed'],
  ['in files beside it', 'attached.har', 'attach'],
  ['in an archive', 'embedded.zip', 'embed'],
  ['in files of an archive', 'attached.zip', 'attach'],
] as const)('Playwright has stored messages %s', async (_, name, content) => {
  const path = join(folder, name)
  await talk({ path, content })
  const recording = await converted(path)
  expectConversation(recording)
  const times = recording.events.map(({ at }) => at)
  expect(times).toEqual(times.toSorted((left, right) => left - right))
  expect(times.at(-1)).toBeGreaterThan(recording.events[1]!.at)
  expect(times.at(-1)).toBeLessThan(30_000)
  expect(recording.text).not.toContain('opensesame')
  expect((await converted(path, '--reveal')).text).toContain('"json":{"password": "opensesame"}')
})

test('Playwright has left out times', async () => {
  const path = join(folder, 'minimal.har')
  await talk({ path, mode: 'minimal' })
  const recording = await converted(path)
  expectConversation(recording)
  const [, open, ...rest] = recording.events
  expect(rest.map(({ at }) => at)).toEqual(rest.map(() => open!.at))
})

test('Playwright has left out messages', async () => {
  const path = join(folder, 'omitted.har')
  await talk({ path, content: 'omit' })
  expectConversation(await converted(path), false)
})

test('the network panel imports what is written, and exports it again', async () => {
  const text = `{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.123Z","source":"wss://example.com"}
{"at":0,"connection":1,"type":"open","path":"/feed?room=a","headers":[["origin","https://example.com"]],"status":101,"subprotocol":"v1","responseHeaders":[["sec-websocket-protocol","v1"]]}
{"at":1.25,"connection":1,"type":"message","from":"client","json":{"a": 1.0}}
{"at":2,"connection":2,"type":"refuse","path":"/feed","status":401,"reason":"no token"}
{"at":2.5,"connection":1,"type":"message","from":"server","text":"two\\nlines"}
{"at":3,"connection":1,"type":"message","from":"server","binary":"AAH/"}
{"at":4,"connection":1,"type":"close","by":"server","code":4001,"reason":"gone"}
{"at":5,"connection":3,"type":"open","path":"/","status":101}
{"at":6,"connection":3,"type":"close","by":"lost","code":1006,"reason":""}
`
  const recording = join(folder, 'session.jsonl')
  const har = join(folder, 'session.har')
  await writeFile(recording, text)
  await runNative('convert', recording, har)

  const context = await newContext()
  const page = await context.newPage()
  // The modules of the panel, as this Chromium serves them to remote debuggers.
  await page.goto(`http://127.0.0.1:${devToolsPort}/devtools/models/har/har.js`)
  await page.addScriptTag({ type: 'module', content: "import * as har from '/devtools/models/har/har.js'; window.har = har" })
  await page.waitForFunction(() => 'har' in window)
  const { shown, exported } = await page.evaluate(async (text) => {
    const { HARFormat, Importer, Log } = (window as any).har
    const requests = Importer.Importer.requestsFromHARLog(new HARFormat.HARRoot(JSON.parse(text)).log)
    const shown = requests.map((request: any) => ({
      url: request.url(),
      type: request.resourceType().name(),
      status: `${request.statusCode} ${request.statusText}`,
      duration: Math.round(request.duration * 1000),
      frames: request.frames().map(({ type, opCode, text, time }: any) => [type, opCode, text, time]),
    }))
    return { shown, exported: JSON.stringify({ log: await Log.Log.build(requests, { sanitize: false }) }) }
  }, await readFile(har, 'utf8'))
  await context.close()

  const start = Date.parse('2026-11-22T05:00:00.123Z') / 1000
  const at = (ms: number) => expect.closeTo(start + ms / 1000, 5) as number
  expect(shown).toEqual([
    {
      url: 'wss://example.com/feed?room=a',
      type: 'websocket',
      status: '101 Switching Protocols',
      duration: 4,
      frames: [
        ['send', 1, '{"a": 1.0}', at(1.25)],
        ['receive', 1, 'two\nlines', at(2.5)],
        ['receive', 2, 'AAH/', at(3)],
        ['receive', 8, 'D6Fnb25l', at(4)], // shown as a close frame
      ],
    },
    { url: 'wss://example.com/feed', type: 'websocket', status: '401 Unauthorized', duration: 0, frames: [['error', -1, 'no token', at(2)]] },
    { url: 'wss://example.com/', type: 'websocket', status: '101 Switching Protocols', duration: 1, frames: [['error', -1, '', at(6)]] },
  ])
  const again = join(folder, 'exported.har')
  await writeFile(again, exported)
  expect((await converted(again)).text).toBe(text)
})
