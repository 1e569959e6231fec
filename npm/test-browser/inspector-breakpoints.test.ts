/** Breakpoints in the inspector, on both hosts: messages of other clients are held, changed, passed and dropped. */

import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { answer, client, hosts, inspect, type Inspected } from './support/inspected.js'

const newContext = useBrowser()

describe.each(Object.keys(hosts))('on %s', (host) => {
  let server: Inspected

  beforeAll(async () => {
    server = await hosts[host]!()
  })
  afterAll(() => server?.stop())

  test('a message like one that was seen is held, changed and passed', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server)
    const echo = await client(server.address, '/echo')
    echo.say('{"type":"bid","price":1}')
    await page.locator('#view-frames .row.in', { hasText: '"price":1' }).click()
    await page.getByRole('button', { name: 'Hold messages like this…' }).click()
    expect(await page.locator('dialog [name=direction]').inputValue()).toBe('in')
    await answer(page, { contains: '"bid"' })
    for (const text of ['{"type":"bid","price":2}', 'behind it']) echo.say(text)
    const notice = page.locator('.notice', { hasText: '1 message held' })
    await notice.getByRole('link', { name: 'Show' }).click()
    await page.getByRole('button', { name: /look at held message/ }).click()
    const payload = page.getByRole('textbox', { name: 'Payload' })
    expect(await payload.inputValue()).toBe('{"type":"bid","price":2}')
    expect(echo.received, 'what comes behind waits').toHaveLength(1)
    await payload.fill('{"type":"bid","price":3} <b>お茶 🍵</b>')
    await page.getByRole('button', { name: 'Pass changed' }).click()
    await expect.poll(() => echo.received.slice(1)).toEqual(['{"type":"bid","price":3} <b>お茶 🍵</b>', 'behind it'])
    await notice.waitFor({ state: 'detached' })
    await page.locator('#views a[data-view=frames]').click()
    await page.locator('#view-frames .row', { hasText: 'passed, changed from the client' }).waitFor()
    await page.locator('.notice', { hasText: 'breakpoint' }).getByRole('button', { name: 'Take all back' }).click()
    echo.say('{"type":"bid","price":4}')
    await expect.poll(() => echo.received.at(-1)).toContain('"price":4')
    expect(errors).toEqual([])
    echo.socket.terminate()
    await context.close()
  })

  test('by keys alone: hold everything, pass one, drop one, pass the rest', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'breakpoints')
    const echo = await client(server.address, '/echo')
    await page.keyboard.press('h')
    await page.locator('dialog [name=direction]').selectOption('out')
    await page.keyboard.press('Control+Enter')
    await page.locator('table[aria-label=Breakpoints]').waitFor()
    await page.locator('dialog').waitFor({ state: 'detached' })
    for (const text of ['one', 'two', 'three', 'four']) echo.say(text)
    const held = page.locator('table[aria-label="Held messages"] tbody tr')
    await expect.poll(() => held.count()).toBe(4)
    await page.keyboard.press('y')
    await expect.poll(() => held.count()).toBe(3)
    await page.keyboard.press('n')
    await expect.poll(() => held.count()).toBe(2)
    const axe = createRequire(import.meta.url).resolve('axe-core')
    await page.evaluate(await readFile(axe, 'utf8'))
    const { violations } = (await page.evaluate('axe.run()')) as { violations: { id: string; impact: string }[] }
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
    await page.keyboard.press('Shift+Y')
    await expect.poll(() => echo.received).toEqual(['one', 'three', 'four'])
    await page.getByRole('button', { name: /^Take back breakpoint \d+$/ }).click()
    await page.locator('#view-breakpoints .empty', { hasText: 'None.' }).waitFor()
    expect(errors).toEqual([])
    echo.socket.terminate()
    await context.close()
  })
})
