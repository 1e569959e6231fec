import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { useNative } from './support/native.js'

const newContext = useBrowser()
const native = useNative()

test('a fragment that is not percent-encoded well shows the first endpoint', async () => {
  const context = await newContext()
  const page = await context.newPage()
  await page.goto(`http://${native()}/#%`)
  await page.locator('#state', { hasText: 'connected' }).waitFor()
  expect(page.url()).toContain('/__switchboard/')
  await context.close()
})

test('two tabs chat by the inspector of the native server', async () => {
  const context = await newContext()
  const open = async (name: string) => {
    const page = await context.newPage()
    await page.goto(`http://${native()}/#/api/ws/chat`)
    await page.locator('#state', { hasText: 'connected' }).waitFor()
    await page.getByLabel('name', { exact: true }).fill(name)
    await page.getByLabel('room', { exact: true }).fill('tea')
    await page.getByText('Join room').click()
    return page
  }
  const say = async (page: Page, text: string) => {
    await page.getByLabel('say', { exact: true }).fill(text)
    await page.getByLabel('say', { exact: true }).press('Enter')
  }
  const hears = (page: Page, text: string) => page.locator('#log .received', { hasText: text }).first().waitFor()

  const ada = await open('Ada')
  const bob = await open('Bob')
  await hears(ada, 'Bob')
  await say(ada, 'is anybody here?')
  await hears(ada, 'is anybody here?')
  await hears(bob, 'is anybody here?')
  await say(bob, 'I am')
  await hears(ada, 'I am')

  await bob.getByText('Leave room').click()
  await bob.getByLabel('room', { exact: true }).fill('elsewhere')
  await bob.getByText('Join room').click()
  await say(bob, 'from elsewhere')
  await hears(bob, 'from elsewhere')
  await say(ada, 'gone already?')
  await hears(ada, 'gone already?')
  expect(await ada.locator('#log').textContent()).not.toContain('from elsewhere')
  await context.close()
})

const conversations = [
  { path: '/socket/websocket', press: 'Join', hears: '"killmails:lobby","phx_reply"' },
  { path: '/', press: 'Subscribe', hears: '"action":"kill"' },
  { path: '/killmails', press: 'Subscribe', hears: '"type":"subscribed"' },
  { path: '/ws', press: 'Request', hears: '"type":"response"' },
  { path: '/ws/proxy/**', press: 'Text', hears: 'Hello from the other side' },
  { path: '/rakit', press: 'To everyone', hears: 'Hello everyone!' },
  { path: '/echo', press: 'Text', hears: 'Hello' },
]

test.each(conversations)('“Try” speaks with $path', async ({ path, press, hears }) => {
  const context = await newContext()
  const page = await context.newPage()
  await page.goto(`http://${native()}/`)
  await page.locator(`nav a[href="#${path}"]`).click()
  await page.locator('#state', { hasText: 'connected' }).waitFor()
  await page.getByRole('button', { name: press, exact: true }).click()
  await page.locator('#log .sent').waitFor()
  await page.locator('#log .received', { hasText: hears }).first().waitFor()
  // Frames unfold, and there is a command to paste for each of three tools.
  await page.getByLabel('Unfold').check()
  expect(await page.locator('#commands code').allTextContents()).toHaveLength(3)
  await context.close()
})
