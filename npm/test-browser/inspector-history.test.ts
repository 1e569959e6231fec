/** The inspector that is opened afterwards, on both hosts: what happened before, and what servers count. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { client, hosts, inspect, type Inspected, refused } from './support/inspected.js'

const newContext = useBrowser()

describe.each(Object.keys(hosts))('on %s', (host) => {
  let server: Inspected

  beforeAll(async () => {
    server = await hosts[host]!()
  })
  afterAll(() => server?.stop())

  test('it shows why a client was refused, what was said and who ended before it was opened', async () => {
    expect(await refused(server.address, '/echo', 'https://evil.example')).toBe(403)
    const echo = await client(server.address, '/echo')
    echo.say('said before')
    await expect.poll(() => echo.received).toEqual(['said before'])
    const gone = await client(server.address, '/relay/gone')
    gone.socket.close(4001, 'enough')
    await gone.closed
    const context = await newContext()
    const { page, errors } = await inspect(context, server)
    await page.locator('.row.refused', { hasText: '403' }).waitFor()
    await page.locator('.row.in', { hasText: 'said before' }).waitFor()
    await page.locator('.row.out', { hasText: 'said before' }).waitFor()
    await page.locator('.row.closed', { hasText: '4001' }).waitFor()
    // What follows comes once, in its place.
    echo.say('said live')
    await page.locator('.row.out', { hasText: 'said live' }).waitFor()
    const times = await page.locator('.row', { hasText: /said/ }).allTextContents()
    expect(times.map((text) => /said [a-z]+/.exec(text)![0])).toEqual(['said before', 'said before', 'said live', 'said live'])
    await page.locator('#views').getByText('Connections').click()
    await page.locator('table[aria-label=Refused] tr', { hasText: '403' }).filter({ hasText: 'origins' }).waitFor()
    const ended = page.locator('table[aria-label=Ended] tr', { hasText: '/relay/gone' })
    await ended.filter({ hasText: '4001' }).filter({ hasText: 'enough' }).filter({ hasText: 'the client' }).waitFor()
    expect(await ended.count()).toBe(1)
    echo.socket.terminate()
    await page.locator('table[aria-label=Ended] tr', { hasText: '/echo' }).waitFor()
    expect(errors).toEqual([])
    await context.close()
  })

  test('the first frame is there soon', async () => {
    const echo = await client(server.address, '/echo')
    echo.say('first')
    const context = await newContext()
    const page = await context.newPage()
    const start = performance.now()
    await page.goto(server.page)
    await page.locator('.row', { hasText: 'first' }).first().waitFor()
    const took = performance.now() - start
    console.log(`${host}: the first frame is shown after ${Math.round(took)} ms`)
    expect(took).toBeLessThan(10_000)
    echo.socket.terminate()
    await context.close()
  })

  test('a connection has its totals since its opening, what compression saves, and its latest messages', async () => {
    const echo = await client(server.address, '/echo')
    for (let count = 1; count <= 5; count++) {
      echo.say({ count, repeated: 'x'.repeat(2_000) })
      await expect.poll(() => echo.received.length).toBe(count)
    }
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'connections')
    const row = page.locator('table[aria-label=Open] tr', { hasText: '/echo' })
    await row.filter({ hasText: '5 / 9.9 KiB' }).filter({ hasText: /saves \d\d %/ }).waitFor()
    await row.getByRole('button').click()
    const details = page.locator('#view-connections .details')
    await details.locator('dd', { hasText: /^5 messages, 9\.9 KiB; \d+ B on the wire$/ }).first().waitFor()
    expect(await details.locator('.latest .row').count()).toBe(10)
    expect(await details.locator('.latest .row').first().textContent()).toContain('"count":1')
    echo.say('one more')
    await row.filter({ hasText: '6 / 9.9 KiB' }).waitFor()
    echo.socket.terminate()
    expect(errors).toEqual([])
    await context.close()
  })
})
