/** Pages that attack: under a name of their own that points here, from another site, and around the inspector. */

import type { BrowserContext, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { nativeConfiguration, useExample } from './support/example.js'
import { useNative } from './support/native.js'

const newContext = useBrowser(
  '--host-resolver-rules=MAP evil.test 127.0.0.1',
  // Newer Chromiums ask the user before a page reaches this machine; others do not.
  '--disable-features=LocalNetworkAccessChecks',
)
const vite = useExample('evekill')
const native = useNative('--config', nativeConfiguration('evekill'))

const hosts = [
  ['Vite', () => new URL(vite().url).port],
  ['the native server', () => native().split(':')[1]!],
] as const

/** Opens a page of the attacker's at this URL, whatever is there; all that it asks for goes to where its name points. */
async function attackersPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  const html = '<!doctype html><title>attacker</title>'
  await page.route(url, (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await page.goto(url)
  return page
}

/** What a page gets from its own origin. */
function tryAll(page: Page) {
  return page.evaluate(async () => {
    const status = (path: string, init?: RequestInit) =>
      fetch(path, init).then(
        (response) => response.status,
        (error: unknown) => String(error),
      )
    const socket = await new Promise<string>((resolve) => {
      const socket = new WebSocket(`ws://${location.host}/`)
      socket.onopen = () => resolve('open')
      socket.onerror = () => resolve('refused')
    })
    const post = await status('/feeds/killmails', { method: 'POST', body: '{"killmail_id":1}' })
    return { socket, post, page: await status('/'), endpoints: await status('/__switchboard/start.json') }
  })
}

test.each(hosts)('a page that points its name here gets nothing from %s', async (_, port) => {
  const context = await newContext()
  const evil = await attackersPage(context, `http://evil.test:${port()}/attack`)
  expect(await tryAll(evil)).toEqual({ socket: 'refused', post: 403, page: 403, endpoints: 403 })
  // The same page under a name that nobody can point elsewhere: it is the name that is refused.
  const own = await attackersPage(context, `http://app.localhost:${port()}/attack`)
  expect(await tryAll(own)).toMatchObject({ socket: 'open', post: 202, page: 200 })
  await context.close()
})

test.each(hosts)('no form and no script of another site posts to a feed of %s', async (_, port) => {
  const context = await newContext()
  const page = await attackersPage(context, 'http://evil.test:1/attack')
  const target = `http://127.0.0.1:${port()}/feeds/killmails`
  const answers: number[] = []
  page.on('response', (response) => {
    if (response.url() === target) answers.push(response.status())
  })
  // What needs no permission (CORS), with and without a referrer, which hides the origin too.
  for (const referrerPolicy of ['no-referrer', 'unsafe-url'] as const) {
    await page.evaluate(
      ([url, referrerPolicy]) => fetch(url!, { method: 'POST', mode: 'no-cors', body: '1', referrerPolicy: referrerPolicy as ReferrerPolicy }),
      [target, referrerPolicy],
    )
  }
  const form = page.waitForResponse(target)
  await page.evaluate((url) => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action: url, enctype: 'text/plain' })
    document.body.append(form)
    form.submit()
  }, target)
  await form
  expect(answers).toEqual([403, 403, 403])
  await context.close()
})

test('no page shows the inspector in a frame', async () => {
  const context = await newContext()
  for (const parent of ['http://evil.test:1/attack', `http://${native()}/attack`]) {
    const page = await attackersPage(context, parent)
    const sockets: string[] = []
    page.on('websocket', (socket) => sockets.push(socket.url()))
    const refused = page.waitForEvent('console', (line) => line.text().includes('frame-ancestors'))
    await page.evaluate((url) => {
      const frame = Object.assign(document.createElement('iframe'), { src: url })
      const loaded = new Promise((resolve) => (frame.onload = resolve))
      document.body.append(frame)
      return loaded
    }, `http://${native()}/`)
    await refused
    expect(page.frames()[1]!.url()).toMatch(/^chrome-error:/)
    expect(sockets).toEqual([])
  }
  await context.close()
})

test('in a frame that is shown after all, the inspector does not connect by itself', async () => {
  const context = await newContext()
  const parent = `http://${native()}/attack`
  const page = await attackersPage(context, parent)
  // As from a server behind something that drops the header.
  await page.route(`http://${native()}/__switchboard/`, async (route) => {
    const response = await route.fetch()
    const { 'content-security-policy': _, ...headers } = response.headers()
    await route.fulfill({ response, headers })
  })
  const sockets: string[] = []
  page.on('websocket', (socket) => sockets.push(socket.url()))
  await page.evaluate((src) => document.body.append(Object.assign(document.createElement('iframe'), { src })), `http://${native()}/__switchboard/`)
  const frame = page.frameLocator('iframe')
  await frame.locator('#endpoints a[aria-current]').waitFor()
  expect(await frame.locator('#url').inputValue()).toMatch(/^ws:/)
  expect(await frame.locator('#state').textContent()).not.toContain('connect')
  expect(sockets).toEqual([])
  await frame.locator('#connect').click()
  await frame.locator('#state', { hasText: 'connected' }).waitFor()
  expect(sockets).toHaveLength(1)
  await context.close()
})
