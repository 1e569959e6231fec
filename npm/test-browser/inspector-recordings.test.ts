/** Recordings of the inspector, on both hosts: those that a server writes, and what the page itself has seen. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { answer, client, hosts, inspect, type Inspected, refused } from './support/inspected.js'
import { runNative } from './support/native.js'

const newContext = useBrowser()

/** What a page gives the browser to keep when something is done. */
async function downloaded(page: Page, act: () => Promise<unknown>): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), act()])
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') }
}

/** What the native server's own reader makes of a file. */
async function converted(name: string, text: string, to: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-saved-'))
  await writeFile(join(folder, name), text)
  await runNative('convert', join(folder, name), join(folder, `converted.${to}`))
  const made = await readFile(join(folder, `converted.${to}`), 'utf8')
  await rm(folder, { recursive: true, force: true })
  return made
}

const lines = (text: string): any[] => text.trimEnd().split('\n').map((line) => JSON.parse(line))

describe.each(Object.keys(hosts))('on %s', (host) => {
  let server: Inspected

  beforeAll(async () => {
    server = await hosts[host]!()
  })
  afterAll(() => server?.stop())

  test('a route is recorded, and its file is kept as JSON Lines and as HAR', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'routes')
    await page.getByRole('button', { name: 'Record /echo', exact: true }).click()
    expect(await page.locator('dialog [name=route]').inputValue()).toBe('/echo')
    await answer(page, { name: 'talk.jsonl', mask: 'card \\d+' })
    const echo = await client(server.address, '/echo')
    echo.say('{"n":1.0,"emoji":"🚀"}')
    echo.say('card 12345')
    await expect.poll(() => echo.received.length).toBe(2)
    await page.locator('#views').getByText('Recordings').click()
    const row = page.locator('table[aria-label=Recordings] tr', { hasText: 'talk.jsonl' })
    await row.getByText('5', { exact: true }).waitFor()
    const running = await downloaded(page, () => page.getByRole('button', { name: 'Download talk.jsonl', exact: true }).click())
    expect(running.name).toBe('talk.jsonl')
    expect(lines(running.text).slice(1).map(({ type, from }) => from ?? type)).toEqual(['open', 'client', 'server', 'client', 'server'])
    expect(running.text).toContain('"json":{"n":1.0,"emoji":"🚀"}')
    expect(running.text).not.toContain('12345')
    echo.socket.close(4001, 'bye')
    await page.getByRole('button', { name: 'Stop talk.jsonl' }).click()
    await page.locator('table[aria-label="Stopped recordings"] tr', { hasText: 'talk.jsonl' }).waitFor()
    const har = await downloaded(page, () => page.getByRole('button', { name: 'Download talk.jsonl as HAR' }).click())
    expect(har.name).toBe('talk.har')
    const { entries } = JSON.parse(har.text).log
    expect(entries).toHaveLength(1)
    expect(entries[0]).toMatchObject({ _resourceType: 'websocket', request: { url: `ws://${server.address}/echo` }, response: { status: 101 } })
    const messages = entries[0]._webSocketMessages.map(({ type, opcode, data }: any) => [type, opcode, data])
    expect(messages.slice(0, 4)).toEqual([['send', 1, '{"n":1.0,"emoji":"🚀"}'], ['receive', 1, '{"n":1.0,"emoji":"🚀"}'], ['send', 1, '***'], ['receive', 1, '***']])
    await page.getByRole('button', { name: 'Replay talk.jsonl' }).click()
    await page.locator('dialog pre', { hasText: 'replay = { file = "recordings/talk.jsonl" }' }).waitFor()
    await page.keyboard.press('Escape')
    // It survives the page.
    await page.reload()
    await page.locator('table[aria-label="Stopped recordings"] tr', { hasText: 'talk.jsonl' }).waitFor()
    await page.getByRole('button', { name: 'Take talk.jsonl off this list' }).click()
    await page.locator('table[aria-label="Stopped recordings"]').waitFor({ state: 'detached' })
    expect(errors).toEqual([])
    await context.close()
  })

  test('what is wrong with a recording is said in its dialog', async () => {
    const context = await newContext()
    const { page } = await inspect(context, server, 'recordings')
    await page.keyboard.press('r')
    await page.locator('dialog [name=name]').fill('../up.jsonl')
    await page.keyboard.press('Control+Enter')
    await page.locator('dialog .failed', { hasText: 'expected letters, digits' }).waitFor()
    await context.close()
  })

  test('what is shown is kept as a recording and as HAR, a broadcast for each who got it', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server)
    const [ada, bob, outside] = await Promise.all([client(server.address, '/relay/a'), client(server.address, '/relay/a'), client(server.address, '/echo')])
    ada.say('hello\nto everyone')
    await expect.poll(() => bob.received).toEqual(['hello\nto everyone'])
    outside.socket.send(Buffer.from([0, 255]))
    await expect.poll(() => outside.received.length).toBe(1)
    outside.say('x'.repeat(20_000))
    outside.socket.close(4001, 'bye')
    await outside.closed
    expect(await refused(server.address, '/echo', 'https://evil.example')).toBe(403)
    await page.locator('.row', { hasText: 'refused with 403' }).waitFor()
    await page.keyboard.press('w')
    const recording = await downloaded(page, () => answer(page, { format: 'jsonl' }))
    expect(recording.name).toMatch(/^session-.*\.jsonl$/)
    const [header, ...events] = lines(recording.text)
    expect(header).toMatchObject({ switchboard: 'recording', version: 1, source: `ws://${server.address}` })
    const open = (path: string) => events.filter((event) => event.type === 'open' && event.path === path).map(({ connection }) => connection)
    const said = events.filter((event) => event.type === 'message')
    // What happened before this page was opened is shown too.
    const own = said.find(({ binary }) => binary === 'AP8=')?.connection
    expect(open('/relay/a').length).toBe(2)
    expect(open('/echo')).toContain(own)
    expect(said.filter(({ from, text }) => from === 'server' && text === 'hello\nto everyone').every(({ connection }) => open('/relay/a').includes(connection))).toBe(true)
    expect(said.filter(({ binary }) => binary === 'AP8=').map(({ from }) => from)).toEqual(['client', 'server'])
    expect(events.filter(({ type }) => type === 'gap').length).toBe(2)
    expect(events.find(({ type, connection }) => type === 'close' && connection === own)).toMatchObject({ by: 'client', code: 4001, reason: 'bye' })
    expect(events.find(({ type }) => type === 'refuse')).toMatchObject({ path: '/echo', status: 403 })
    expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted((a, b) => a - b))
    const understood = JSON.parse(await converted('a.jsonl', recording.text, 'har')).log.entries
    expect(understood.length).toBe(open('/relay/a').length + open('/echo').length + 1)
    // Only what passes the filter.
    await page.getByLabel('Kind', { exact: true }).selectOption('binary')
    await page.locator('.count', { hasText: /^2 of / }).waitFor()
    await page.getByRole('button', { name: 'Save…' }).click()
    const har = await downloaded(page, () => answer(page, { format: 'har' }))
    const { entries } = JSON.parse(har.text).log
    expect(entries.map(({ request, _webSocketMessages: all }: any) => [request.url, all.map(({ type, opcode, data }: any) => [type, opcode, data])])).toEqual([
      [`ws://${server.address}/echo`, [['send', 2, 'AP8='], ['receive', 2, 'AP8=']]],
    ])
    const again = lines(await converted('a.har', har.text, 'jsonl'))
    expect(again.filter(({ binary }) => binary === 'AP8=').map(({ from }) => from)).toEqual(['client', 'server'])
    for (const { socket } of [ada, bob]) socket.terminate()
    expect(errors).toEqual([])
    await context.close()
  })
})
