import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { nativeConfiguration, useExample } from './support/example.js'
import { useNative } from './support/native.js'

const newContext = useBrowser()

/** What each example's page shows once its system speaks. */
const systems: Record<string, (page: Page) => Promise<void>> = {
  phoenix: async (page) => {
    await page.locator('#kills li', { hasText: 'Jita' }).first().waitFor()
    await page.getByLabel('Amarr').check()
    await page.locator('#kills li', { hasText: 'Amarr' }).first().waitFor()
    await page.locator('#present', { hasText: 'guest-' }).waitFor()
    await page.getByLabel('Message').fill('hello, channel')
    await page.getByLabel('Message').press('Enter')
    await page.locator('#chat li', { hasText: 'hello, channel' }).waitFor()
  },
  evekill: async (page) => {
    await page.locator('#kills li', { hasText: 'Jita' }).first().waitFor()
    await page.locator('#choose button').click()
    await page.locator('#chosen', { hasText: 'frigates, system.30002187' }).waitFor()
    await page.locator('#matches li', { hasText: 'Amarr' }).first().waitFor()
    expect(await page.locator('#matches li', { hasText: 'Sabre' }).count()).toBe(0)
  },
  events: async (page) => {
    await page.locator('#price', { hasText: /^\d+\.\d\d$/ }).waitFor()
    await page.getByText('Request a user').click()
    await page.locator('#messages li', { hasText: 'response user' }).waitFor()
    await page.getByText('Ping').click()
    await page.locator('#messages li', { hasText: 'pong' }).waitFor()
  },
  rakit: async (page) => {
    await page.locator('#users li', { hasText: 'Guest' }).waitFor()
    await page.getByLabel('Message', { exact: true }).fill('hello, everyone')
    await page.getByLabel('Message', { exact: true }).press('Enter')
    await page.locator('#messages li', { hasText: 'hello, everyone' }).waitFor()
    await page.getByLabel('To channel').check()
    await page.getByLabel('Message', { exact: true }).fill('hello, channel')
    await page.getByLabel('Message', { exact: true }).press('Enter')
    await page.locator('#messages li', { hasText: 'on chat' }).waitFor()
  },
  asyncapi: async (page) => {
    await page.locator('#price', { hasText: '4.75 each' }).waitFor()
    await page.getByText('Order coffee').click()
    await page.locator('#messages li', { hasText: '"id":"order-1"' }).waitFor()
    await page.getByLabel('Amount').fill('0')
    await page.getByText('Order coffee').click()
    await page.locator('#messages li', { hasText: 'amount: expected at least 1, got 0' }).waitFor()
  },
  proxy: async (page) => {
    await page.locator('#messages li', { hasText: 'proxy_connected' }).waitFor()
    await page.locator('#messages li', { hasText: '"name":"ticker"' }).first().waitFor()
    await page.getByText('Through the quiet proxy').click()
    await page.locator('#messages li', { hasText: '"type":"connected"' }).waitFor()
    await page.getByText('To nowhere').click()
    await page.locator('#status', { hasText: '1008 Route not found' }).waitFor()
  },
  replay: async (page) => {
    await page.locator('#name', { hasText: 'Otter & Sons' }).waitFor()
    await page.locator('#day polyline').waitFor()
    await page.locator('#price', { hasText: '112.10' }).waitFor()
    await page.getByText('Buy 10').click()
    await page.locator('#orders li', { hasText: 'bought at 112.10' }).waitFor()
    await page.locator('#status', { hasText: 'closed: the market is closed' }).waitFor()
    expect(await page.locator('#orders li').count()).toBe(1)
    await page.getByText('Connect again').click()
    await page.locator('#status.open').waitFor()
    await page.getByText('Buy 10').click()
    await page.locator('#orders li', { hasText: 'rejected: the market is closed' }).waitFor()
    expect(await page.locator('#orders small', { hasText: '91b3aa07' }).count()).toBe(0)
  },
}

describe.each(Object.keys(systems))('the example %s', (name) => {
  const example = useExample(name)
  const native = useNative('--config', nativeConfiguration(name))

  test.each([
    { host: 'the plugin in Vite', query: () => '' },
    { host: 'the native server', query: () => `?server=${native()}` },
  ])('shows its data on $host', async ({ query }) => {
    const context = await newContext()
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`${example().url}/${query()}`)
    await page.locator('#status.open').waitFor()
    await systems[name]!(page)
    expect(errors).toEqual([])
    await context.close()
  })
})
