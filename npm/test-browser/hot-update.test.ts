import { expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { ChatTab } from './support/chat-tab.js'
import { useExample } from './support/example.js'

const newContext = useBrowser()
const example = useExample('chat')

test('two tabs chat while Vite updates a module, on the same port', async () => {
  const context = await newContext()
  const ada = await ChatTab.open(context, example().url, 'Ada')
  const bob = await ChatTab.open(context, example().url, 'Bob')
  const tabs = [ada, bob]
  for (const tab of tabs) {
    await tab.join('tea')
    // A reload would lose it.
    await tab.page.evaluate(() => Object.assign(window, { stillTheSamePage: true }))
  }
  await ada.notices('Bob joined tea')
  await ada.say('before the update')
  await bob.hears('Ada', 'before the update')

  await example().edit('view.js', "title = 'Chat'", "title = 'Tea party'")
  for (const tab of tabs) {
    await tab.page.locator('h1', { hasText: 'Tea party' }).waitFor()
  }
  await bob.say('after the update')
  await ada.hears('Bob', 'after the update')
  await example().edit('style.css', '--accent: light-dark(#3451b2, #a8b1ff)', '--accent: rgb(1, 2, 3)')
  const colour = () => getComputedStyle(document.getElementById('send')!).backgroundColor
  await expect.poll(() => ada.page.evaluate(colour)).toBe('rgb(1, 2, 3)')
  await ada.say('after the second')
  await bob.hears('Ada', 'after the second')

  for (const tab of tabs) {
    expect(await tab.page.evaluate(() => 'stillTheSamePage' in window)).toBe(true)
    const port = new URL(example().url).port
    expect(tab.sockets.map(({ url, closed }) => ({ port: new URL(url).port, closed }))).toEqual([
      { port, closed: false }, // Vite's, for its updates
      { port, closed: false }, // the chat's
    ])
    const updates = tab.sockets.find((socket) => socket !== tab.socket)
    expect(updates?.responseHeaders['sec-websocket-protocol']).toBe('vite-hmr')
    expect(updates?.received.filter((text) => text.includes('"update"'))).toHaveLength(2)
  }
  await context.close()
})
