import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BrowserContext } from 'playwright-core'
import { useBrowser } from './support/browser.js'
import { ChatTab } from './support/chat-tab.js'
import { nativeConfiguration, useExample } from './support/example.js'
import { useNative } from './support/native.js'
import { CountingProxy } from './support/proxy.js'

const newContext = useBrowser()
const example = useExample('chat')
const native = useNative('--config', nativeConfiguration('chat'))
const nativeByDefault = useNative()

let context: BrowserContext
beforeEach(async () => {
  context = await newContext()
})
afterEach(async () => {
  await context.close()
})

const hosts = [
  { host: 'the plugin in Vite', server: () => example().url.replace('http://', ''), greeting: 'Welcome!' },
  { host: 'the native server', server: native, greeting: 'Welcome!' },
  { host: 'the native server with its default configuration', server: nativeByDefault, greeting: 'you are' },
]

describe.each(hosts)('on $host', ({ server, greeting }) => {
  const open = (name: string, address = server()) =>
    ChatTab.open(context, `${example().url}/?server=${address}`, name)

  test('two tabs meet in a room, talk, and part', async () => {
    const ada = await open('Ada')
    const bob = await open('Bob')
    await ada.notices(greeting)

    await ada.join('tea')
    await ada.say('is anybody here?')
    await ada.hears('Ada', 'is anybody here?')
    await bob.join('tea')
    await ada.notices('Bob joined tea')
    await bob.say('I am')
    await ada.hears('Bob', 'I am')
    await bob.hears('Bob', 'I am')

    await bob.leave()
    await bob.settle()
    await ada.say('gone already?')
    await ada.hears('Ada', 'gone already?')
    await bob.settle()

    // On the wire: the exact events, the sender among the receivers of messages but not of its own arrival.
    expect(ada.received('user-joined')).toEqual([{ type: 'user-joined', username: 'Bob', room: 'tea' }])
    expect(bob.received('user-joined')).toEqual([])
    const toBob = bob.received('chat-message').filter(({ text }) => !String(text).startsWith('settled'))
    expect(toBob).toEqual([{ type: 'chat-message', from: 'Bob', text: 'I am' }])
    expect(ada.received('chat-message').map(({ text }) => text)).toEqual([
      'is anybody here?',
      'I am',
      'gone already?',
    ])
    expect(bob.socket.sent.map((text) => JSON.parse(text))[0]).toEqual({ type: 'join-room', room: 'tea', username: 'Bob' })

    const id = /[0-9a-f-]{36}/
    await bob.page.close()
    await ada.notices('somebody left')
    expect(ada.received('user-left')).toEqual([{ type: 'user-left', userId: expect.stringMatching(id) }])
  })

  test('long messages travel compressed, short ones as they are', async () => {
    const proxy = await CountingProxy.start(server())
    try {
      const ada = await open('Ada', proxy.address)
      expect(ada.socket.responseHeaders['sec-websocket-extensions']).toMatch(/^permessage-deflate/)
      await ada.join('tea')

      const before = proxy.received
      const long = 'tell me more '.repeat(2000)
      await ada.say(long)
      await expect.poll(() => ada.received('chat-message').length).toBe(1)
      expect(ada.received('chat-message').map(({ text }) => text)).toEqual([long])
      expect(proxy.received - before).toBeLessThan(1000)

      const short = 'x'.repeat(900)
      const between = proxy.received
      await ada.say(short)
      await expect.poll(() => ada.received('chat-message').length).toBe(2)
      expect(proxy.received - between).toBeGreaterThan(900)
    } finally {
      proxy.stop()
    }
  })
})
