import { describe, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { nativeConfiguration, useExample } from './support/example.js'
import { useNative } from './support/native.js'

const newContext = useBrowser()
const example = useExample('auth')
const native = useNative('--config', nativeConfiguration('auth'))

const hosts = [
  { host: 'the plugin in Vite', query: () => '' },
  { host: 'the native server', query: () => `?server=${native()}` },
]

describe.each(hosts)('on $host', ({ query }) => {
  test('close codes reach the page, and a token in the query lets in', async () => {
    const context = await newContext()
    const page = await context.newPage()
    await page.goto(`${example().url}/${query()}`)
    const shows = (id: string, text: string) =>
      page.waitForFunction(({ id, text }) => document.getElementById(id)?.textContent === text, { id, text })

    await page.getByText('No token').click()
    await shows('close', '4001 No token provided')
    await shows('message', '–')

    await page.getByText('A wrong token').click()
    await shows('close', '4002 Invalid token')
    await shows('message', '–')

    await page.getByText('Alice’s token').click()
    await shows('message', '{"type":"authenticated","user":{"id":1,"name":"Alice"}}')
    await shows('status', 'open')

    await page.getByText('Bob’s token').click()
    await shows('message', '{"type":"authenticated","user":{"id":2,"name":"Bob"}}')
    await context.close()
  })
})
