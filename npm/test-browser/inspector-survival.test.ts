/** The inspector while its server changes below it: a restart of Vite, a reload of the native configuration, a new process. */

import { appendFile, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { client, hosts, inspect, type Inspected } from './support/inspected.js'

const newContext = useBrowser()

describe.each(Object.keys(hosts))('on %s', (host) => {
  let server: Inspected

  beforeAll(async () => {
    server = await hosts[host]!()
  })
  afterAll(() => server?.stop())

  test('a changed configuration is shown, and who is connected stays', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server, 'routes')
    const echo = await client(server.address, '/echo')
    const config = join(server.folder, 'switchboard.toml')
    await appendFile(config, '\n[[routes]]\npattern = "/added"\ndialect = "relay"\n')
    await page.getByRole('region', { name: 'Route /added', exact: true }).waitFor()
    await page.locator('#views').getByText('Frames').click()
    echo.say('after the change')
    await page.locator('.row.in', { hasText: 'after the change' }).waitFor()
    const added = await client(server.address, '/added')
    await page.locator('.row.opened', { hasText: '/added' }).waitFor()
    // And back again, which ends who is there.
    const text = (await readFile(config, 'utf8')).replace(/\n\[\[routes\]\]\npattern = "\/added"[^[]*$/, '\n')
    // At once: a file that is empty for a moment is another configuration.
    await writeFile(`${config}.new`, text)
    await rename(`${config}.new`, config)
    await page.locator('.row.closed', { hasText: '/added' }).waitFor()
    await added.closed
    echo.say('and on')
    await page.locator('.row.out', { hasText: 'and on' }).waitFor()
    expect(await page.locator('#link').textContent()).toBe('live')
    echo.socket.terminate()
    expect(errors).toEqual([])
    await context.close()
  })

  test('after a restart it shows what happens, and what it shows stays', async () => {
    const context = await newContext()
    const { page, errors } = await inspect(context, server)
    const before = await client(server.address, '/echo')
    before.say('before the restart')
    await page.locator('.row.out', { hasText: 'before the restart' }).waitFor()
    await page.getByLabel('Filter by text or /regular expression/').fill('restart')
    await server.restart()
    await page.locator('#link', { hasText: 'live' }).waitFor()
    const after = await client(server.address, '/echo')
    after.say('after the restart')
    await page.locator('.row.out', { hasText: 'after the restart' }).waitFor()
    expect(await page.locator('.row.out', { hasText: 'before the restart' }).count(), 'once').toBe(1)
    await page.locator('#views a[data-view=connections]').click()
    await page.locator('table[aria-label=Open] tr', { hasText: '/echo' }).waitFor()
    expect(await page.locator('table[aria-label=Open] tr', { hasText: '/echo' }).count()).toBe(1)
    after.socket.terminate()
    expect(errors).toEqual([])
    await context.close()
  })
})

test('Vite restarts by itself: connections go on, and the inspector with them', async () => {
  const server = await hosts.Vite!()
  const context = await newContext()
  const { page, errors } = await inspect(context, server)
  const echo = await client(server.address, '/echo')
  echo.say('before')
  await page.locator('.row.out', { hasText: 'before' }).waitFor()
  await server.restartByItself!()
  echo.say('afterwards')
  await expect.poll(() => echo.received.at(-1)).toBe('afterwards')
  await page.locator('.row.out', { hasText: 'afterwards' }).waitFor()
  expect(await page.locator('.row.out', { hasText: 'before' }).count(), 'once').toBe(1)
  echo.socket.terminate()
  expect(errors).toEqual([])
  await context.close()
  await server.stop()
})

test('a server whose clock is behind that of the one before is not taken for it', async () => {
  const server = await hosts.Vite!()
  const context = await newContext()
  const { page, errors } = await inspect(context, server, 'charts')
  await page.getByText('Stop it').click()
  await page.getByText('+60 s').click()
  await page.locator('#announcement', { hasText: 'moved on by 1 min' }).waitFor()
  await page.getByText('Let it run').click()
  await page.locator('#views').getByText('Frames').click()
  const before = await client(server.address, '/echo')
  before.say('a minute ahead')
  await page.locator('.row.out', { hasText: 'a minute ahead' }).waitFor()
  await server.restart()
  await page.locator('.row', { hasText: 'connected again' }).waitFor()
  const after = await client(server.address, '/echo')
  after.say('now')
  await page.locator('.row.out', { hasText: /now/ }).last().waitFor()
  await page.locator('.row.in').filter({ hasText: 'now' }).waitFor()
  after.socket.terminate()
  expect(errors).toEqual([])
  await context.close()
  await server.stop()
})
