import { describe, expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { nativeConfiguration, useExample } from './support/example.js'
import { useNative } from './support/native.js'

const newContext = useBrowser()
const example = useExample('scenario')
const native = useNative('--config', nativeConfiguration('scenario'))

const hosts = [
  { host: 'the plugin in Vite', query: () => '' },
  { host: 'the native server', query: () => `?server=${native()}` },
]

describe.each(hosts)('on $host', ({ query }) => {
  test('those in a room hear each other', async () => {
    const context = await newContext()
    const open = async () => {
      const page = await context.newPage()
      await page.goto(`${example().url}/${query()}`)
      await page.getByText('Welcome!').waitFor()
      return page
    }
    const [ada, bob] = [await open(), await open()]
    await ada.getByText('user-joined').waitFor()
    await bob.locator('#chat input').fill('hello')
    await bob.locator('#chat button').click()
    for (const page of [ada, bob]) await page.getByText('"text":"hello"').waitFor()
    await context.close()
  })

  test('a feed that breaks off is resumed where it was', async () => {
    const context = await newContext()
    const page = await context.newPage()
    await page.goto(`${example().url}/${query()}`)
    await page.locator('#feed').click()
    await page.getByText('closed with 1000 that was all').waitFor()
    const lines = await page.locator('[data-log="feed"] li').allTextContents()
    const seen = lines.reverse().map((line) => /"seq":(\d)/.exec(line)?.[1] ?? /"type":"(\w+)"/.exec(line)?.[1] ?? line)
    expect(seen).toEqual(['1', '2', 'closed with 1006', 'resumed', '3', 'end', 'closed with 1000 that was all'])
    await context.close()
  })
})

test('an order goes wrong in every way', async () => {
  const context = await newContext()
  const page = await context.newPage()
  await page.goto(`${example().url}/`)
  await page.locator('#order').click()
  await page.getByText('closed with 1011 out of stock').waitFor()
  const lines = await page.locator('[data-log="order"] li').allTextContents()
  const types = lines.reverse().map((line) => /"type":"(\w+)"/.exec(line)?.[1] ?? line)
  expect(types).toEqual(['error', 'welcome', 'accepted', 'closed with 1011 out of stock'])
  await context.close()
})
