/** The inspector, on both hosts: what each view shows of other clients, and what each action does to them. */

import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { answer, client, type Client, hosts, inspect, type Inspected, refused } from './support/inspected.js'

const newContext = useBrowser()

/** Of another host. */
const FOREIGN = 'https://evil.example'

/** A row of the list of frames. */
const row = (page: Page, text: string | RegExp) => page.locator('#view-frames .row', { hasText: text })

describe.each(Object.keys(hosts))('on %s', (host) => {
  let server: Inspected
  const clients: Client[] = []
  const open = async (path: string): Promise<Client> => {
    const opened = await client(server.address, path)
    clients.push(opened)
    return opened
  }
  /** Two in a room of the chat. */
  const chat = async (): Promise<[Client, Client]> => {
    const [ada, bob] = [await open('/api/ws/chat'), await open('/api/ws/chat')]
    ada.say({ type: 'join-room', room: 'tea', username: 'Ada' })
    ada.say({ type: 'message', room: 'tea', username: 'Ada', text: 'I am here' })
    await expect.poll(() => ada.received.at(-1)).toContain('I am here')
    bob.say({ type: 'join-room', room: 'tea', username: 'Bob' })
    await expect.poll(() => ada.received.at(-1)).toContain('Bob')
    return [ada, bob]
  }

  beforeAll(async () => {
    server = await hosts[host]!()
  })
  afterEach(() => clients.splice(0).forEach(({ socket }) => socket.terminate()))
  afterAll(() => server?.stop())

  test('frames: what others say is shown as it comes, both ways and decoded', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server)
    expect(page.url(), 'the token is not left in the address').not.toContain('token')
    const [ada] = await chat()
    ada.say({ type: 'message', room: 'tea', username: 'Ada', text: 'Grüße, こんにちは 🚀' })
    const said = row(page, 'こんにちは 🚀')
    await said.and(page.locator('.in')).waitFor()
    await said.and(page.locator('.out')).filter({ hasText: '2 × ' }).waitFor()
    expect(await said.first().locator('.label').textContent()).toBe('message')
    expect(await said.first().locator('.channel').textContent()).toBe('tea')
    // Details: a tree of JSON, text, and bytes.
    await said.first().click()
    const details = page.locator('#view-frames .details')
    await details.locator('.leaf', { hasText: 'text: "Grüße, こんにちは 🚀"' }).waitFor()
    await details.getByRole('button', { name: 'hex' }).first().click()
    await details.locator('pre', { hasText: '000000  7b 22 74 79 70 65' }).waitFor()
    await details.getByRole('button', { name: 'tree' }).click()
    // A push of Phoenix has its reply beside it.
    const phoenix = await open('/socket/websocket?vsn=2.0.0')
    phoenix.say(['1', '7', 'killmails:lobby', 'phx_join', { systems: [30000142] }])
    const push = row(page, 'phx_join')
    await push.locator('.took', { hasText: 'ms' }).waitFor()
    await push.click()
    await details.locator('dd', { hasText: /^ok after \d+ ms$/ }).waitFor()
    expect(errors).toEqual([])
    await context.close()
  })

  test('frames: filters by text, expression, direction, kind, route, room and connection; pause, clear, next error', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server)
    const [ada] = await chat()
    const echo = await open('/echo')
    echo.say('number 17')
    echo.socket.send(Buffer.from([1, 2, 3]))
    await row(page, '01 02 03').nth(1).waitFor()
    const filter = page.getByLabel('Filter by text or /regular expression/')
    const shown = async () => (await page.locator('#view-frames .row').allTextContents()).length
    await filter.fill('NUMBER 17')
    await expect.poll(shown).toBe(2)
    await filter.fill('/number \\d+$/')
    await expect.poll(shown).toBe(2)
    await filter.fill('/(/')
    await page.locator('.wrong', { hasText: 'Invalid regular expression' }).waitFor()
    await filter.fill('')
    await page.getByLabel('Direction', { exact: true }).selectOption('in')
    await page.getByLabel('Kind', { exact: true }).selectOption('binary')
    await expect.poll(shown).toBe(1)
    await page.getByLabel('Direction', { exact: true }).selectOption('both')
    await page.getByLabel('Kind', { exact: true }).selectOption('messages')
    await page.getByLabel('Route', { exact: true }).selectOption('/echo')
    await expect.poll(shown).toBe(4)
    await page.getByLabel('Route', { exact: true }).selectOption('')
    await page.getByLabel('Kind', { exact: true }).selectOption('all')
    await page.getByLabel('Room', { exact: true }).selectOption('tea')
    await row(page, 'joined tea').first().waitFor()
    expect(await row(page, 'number 17').count()).toBe(0)
    await page.getByLabel('Room', { exact: true }).selectOption('')
    // Only one connection.
    await row(page, 'number 17').first().click()
    await page.getByRole('button', { name: 'Only this connection' }).click()
    await page.locator('.chip', { hasText: '/echo' }).waitFor()
    await expect.poll(shown).toBe(5)
    await page.getByRole('button', { name: 'Show all connections' }).click()
    await row(page, 'joined tea').first().waitFor()
    // What is paused is counted and left out.
    await page.getByRole('button', { name: 'Pause' }).click()
    ada.say({ type: 'message', room: 'tea', username: 'Ada', text: 'nobody sees this' })
    await page.locator('.count', { hasText: '2 left out' }).waitFor()
    await page.getByRole('button', { name: 'Go on' }).click()
    expect(await refused(server.address, '/echo', FOREIGN)).toBe(403)
    await row(page, 'refused with 403').waitFor()
    expect(await row(page, 'nobody sees this').count()).toBe(0)
    await page.getByRole('button', { name: 'Next error' }).click()
    await page.locator('.details .hint', { hasText: 'needs `origins`' }).waitFor()
    await page.getByRole('button', { name: 'Clear' }).first().click()
    await expect.poll(shown).toBe(0)
    expect(errors).toEqual([])
    await context.close()
  })

  test('why a client was refused, what the other tab sent, who is in a room, and cutting one connection', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'connections')
    const [ada, bob] = await chat()
    await page.locator('table[aria-label=Open] tr', { hasText: 'tea' }).nth(1).waitFor()
    await refused(server.address, '/echo', FOREIGN)
    await page.locator('table[aria-label=Refused] tr', { hasText: '/echo' }).filter({ hasText: 'needs `origins`' }).waitFor()
    await page.locator('#views').getByText('Rooms').click()
    const room = page.locator('table[aria-label=Rooms] tr', { hasText: 'tea' })
    expect(await room.locator('td').nth(2).textContent()).toBe('2')
    await room.locator('td a').first().click()
    const details = page.locator('#view-connections .details')
    await details.locator('dd', { hasText: 'tea' }).waitFor()
    const id = await details.locator('dd').first().textContent()
    const first = JSON.parse(ada.received[0]!).id === id ? ada : bob
    await details.getByRole('button', { name: 'Send…' }).click()
    await answer(page, { message: '{"hello":"from the inspector"}', kind: 'json' })
    await expect.poll(() => first.received.at(-1)).toBe('{"hello":"from the inspector"}')
    await details.getByRole('button', { name: 'Close…' }).click()
    await answer(page, { code: '4001', reason: 'enough' })
    expect(await first.closed).toBe(4001)
    await page.locator('table[aria-label=Ended] tr', { hasText: '4001' }).filter({ hasText: 'the server' }).waitFor()
    // The other one, without a close frame.
    const other = first === ada ? bob : ada
    await page.locator('table[aria-label=Open]').getByRole('button').first().click()
    await details.getByRole('button', { name: 'Terminate…' }).click()
    await answer(page, {})
    expect(await other.closed).toBe(1006)
    expect(errors).toEqual([])
    await context.close()
  })

  test('the reading of a client is paused, shown and resumed', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'connections')
    const echo = await open('/echo')
    const line = page.locator('table[aria-label=Open] tr', { hasText: '/echo' })
    await line.getByRole('button').click()
    const details = page.locator('#view-connections .details')
    await details.getByRole('button', { name: 'Pause reading' }).click()
    await details.locator('dt:text-is("reading") + dd', { hasText: 'paused' }).waitFor()
    await line.getByText('‖').waitFor()
    echo.say('waits')
    await details.getByRole('button', { name: 'Read again' }).click()
    await expect.poll(() => echo.received).toEqual(['waits'])
    await details.getByRole('button', { name: 'Pause reading' }).waitFor()
    expect(errors).toEqual([])
    await context.close()
  })

  test('an action that fails says why and stays open', async () => {
    const context = await newContext()
    const { page } = await inspect(context, server, 'connections')
    await chat()
    await page.locator('table[aria-label=Open]').getByRole('button').first().click()
    await page.getByRole('button', { name: 'Close…', exact: true }).click()
    await page.locator('dialog [name=code]').fill('1006')
    await page.locator('dialog form button:not([type=button])').click()
    await page.locator('dialog .failed', { hasText: /1006/ }).waitFor()
    await page.locator('dialog').getByText('Cancel').click()
    await page.locator('dialog').waitFor({ state: 'detached' })
    await context.close()
  })

  test('rooms and routes are sent to, and a frame is sent again', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'rooms')
    const [ada, bob] = await chat()
    await page.getByRole('button', { name: 'Send to room tea' }).click()
    await answer(page, { message: 'tea is ready' })
    for (const { received } of [ada, bob]) await expect.poll(() => received.at(-1)).toBe('tea is ready')
    await page.locator('#views').getByText('Routes').click()
    await page.getByRole('button', { name: 'Send to everyone on /api/ws/chat' }).click()
    await answer(page, { message: 'AAEC', kind: 'binary' })
    for (const { received } of [ada, bob]) await expect.poll(() => received.at(-1)).toBe('\0\x01\x02')
    await page.locator('#views').getByText('Frames').click()
    await row(page, 'tea is ready').click()
    await page.getByRole('button', { name: 'Edit and send again…' }).click()
    expect(await page.locator('dialog textarea').inputValue()).toBe('tea is ready')
    await answer(page, { message: 'tea is cold' })
    for (const { received } of [ada, bob]) await expect.poll(() => received.at(-1)).toBe('tea is cold')
    expect(errors).toEqual([])
    await context.close()
  })

  test('faults are seen on every view while they are in force, and taken back', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'routes')
    const route = page.getByRole('region', { name: 'Route /echo', exact: true })
    await page.getByRole('button', { name: 'Faults for /echo', exact: true }).click()
    await answer(page, { condition: '', json: '{ "on": "open", "refuse": 503 }' })
    await route.locator('.bad', { hasText: '"refuse":503' }).waitFor()
    expect(await refused(server.address, '/echo')).toBe(503)
    await page.locator('#views').getByText('Frames').click()
    await row(page, 'refused with 503').waitFor()
    const notice = page.locator('#notices .notice', { hasText: 'Faults are in force' })
    expect(await notice.textContent()).toContain('for /echo')
    await notice.getByRole('button').click()
    await notice.waitFor({ state: 'detached' })
    const echo = await open('/echo')
    // A named condition for one connection.
    await page.locator('#views').getByText('Connections').click()
    await page.locator('table[aria-label=Open] tr', { hasText: '/echo' }).getByRole('button').click()
    await page.getByRole('button', { name: 'Faults…' }).click()
    await answer(page, { condition: 'offline' })
    expect(await echo.closed).toBe(1006)
    await page.keyboard.press('u')
    await notice.waitFor({ state: 'detached' })
    expect(errors).toEqual([])
    await context.close()
  })

  test('feeds show what is published, and take values', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'feeds')
    const feed = page.locator('table[aria-label=Feeds] tbody tr').first()
    const name = (await feed.getByRole('button').first().textContent())!
    await feed.getByRole('button', { name: `Publish on ${name}` }).click()
    await answer(page, { value: '{"headline":"from the inspector"}' })
    await page.getByRole('button', { name: `Values of ${name}` }).click()
    await page.locator('#view-feeds .leaf', { hasText: 'from the inspector' }).first().waitFor()
    expect(errors).toEqual([])
    await context.close()
  })

  test('charts show what passes, the clock moves where it can, and a reset closes everything', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'charts')
    const [ada] = await chat()
    const echo = await open('/echo')
    echo.say('x'.repeat(5_000))
    await page.locator('svg[aria-label="Connections: open 3"]').waitFor()
    await page.getByRole('region', { name: 'Bytes a second' }).locator('.most', { hasText: 'KiB' }).waitFor()
    const clock = page.getByRole('region', { name: 'Clock' })
    if (host === 'Vite') {
      await clock.getByText('Stop it').click()
      await clock.locator('dd', { hasText: 'only when it is told to' }).waitFor()
      await clock.getByText('+60 s').click()
      await page.locator('#announcement', { hasText: 'moved on by 1 min' }).waitFor()
      await clock.getByText('Let it run').click()
      await clock.locator('dd', { hasText: 'by itself' }).waitFor()
    } else {
      await clock.getByText('cannot be moved').waitFor()
    }
    await page.getByText('Reset…').click()
    await answer(page, {})
    expect(await ada.closed).toBe(1012)
    expect(errors).toEqual([])
    await context.close()
  })

  test('the log shows lines of the server', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'log')
    const line = page.locator('#view-log .lines li', { hasText: FOREIGN })
    // One line in a second at most.
    await expect.poll(async () => {
      await refused(server.address, '/echo', FOREIGN)
      return line.count()
    }, { timeout: 10_000, interval: 300 }).toBeGreaterThan(0)
    expect(errors).toEqual([])
    await context.close()
  })

  test('“Try” is led to from a route, and its frames appear with those of all', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'routes')
    await page.getByRole('link', { name: 'Try /echo' }).click()
    await page.locator('#state', { hasText: 'connected' }).waitFor()
    await page.getByRole('button', { name: 'Text', exact: true }).click()
    await page.locator('#log .received', { hasText: 'Hello' }).waitFor()
    await page.locator('#views').getByText('Frames').click()
    await row(page, 'Hello').and(page.locator('.out')).waitFor()
    expect(errors).toEqual([])
    await context.close()
  })

  test('it comes back by itself when the server was away, and says so meanwhile', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server)
    await open('/echo')
    await row(page, '/echo').first().waitFor()
    const restarted = server.restart()
    await page.locator('#link', { hasText: 'trying again' }).waitFor()
    await restarted
    await page.locator('#link', { hasText: 'live' }).waitFor()
    await row(page, 'connected again').waitFor()
    const echo = await open('/echo')
    echo.say('after the restart')
    await row(page, 'after the restart').nth(1).waitFor()
    expect(errors).toEqual([])
    await context.close()
  })
})
