import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { useNative } from './support/native.js'

const newContext = useBrowser()
const native = useNative()

test('two tabs chat on the page of the native server itself', async () => {
  const context = await newContext()
  const open = async (name: string) => {
    const page = await context.newPage()
    await page.goto(`http://${native()}/`)
    await page.locator('#state', { hasText: 'connected' }).waitFor()
    await page.locator('#name').fill(name)
    await page.locator('#room').fill('tea')
    await page.locator('#enter').click()
    return page
  }
  const say = async (page: Page, text: string) => {
    await page.locator('#text').fill(text)
    await page.locator('#send').click()
  }
  const hears = (page: Page, text: string) => page.locator('#log', { hasText: text }).waitFor()

  const ada = await open('Ada')
  const bob = await open('Bob')
  await hears(ada, 'Bob')
  await say(ada, 'is anybody here?')
  await hears(ada, 'is anybody here?')
  await hears(bob, 'is anybody here?')
  await say(bob, 'I am')
  await hears(ada, 'I am')

  await bob.locator('#leave').click()
  await bob.locator('#room').fill('elsewhere')
  await bob.locator('#enter').click()
  await say(bob, 'from elsewhere')
  await hears(bob, 'from elsewhere')
  await say(ada, 'gone already?')
  await hears(ada, 'gone already?')
  expect(await ada.locator('#log').textContent()).not.toContain('from elsewhere')
  await context.close()
})
