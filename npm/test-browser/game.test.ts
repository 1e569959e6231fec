import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { useBrowser } from './support/browser.js'
import { nativeConfiguration, useExample } from './support/example.js'
import { useNative } from './support/native.js'

const newContext = useBrowser()
const example = useExample('game')
const native = useNative('--config', nativeConfiguration('game'))

const hosts = [
  { host: 'the plugin in Vite', query: () => '' },
  { host: 'the native server', query: () => `?server=${native()}` },
]

describe.each(hosts)('on $host', ({ query }) => {
  test('two players share a board that others do not see', async () => {
    const context = await newContext()
    const open = async () => {
      const page = await context.newPage()
      await page.goto(`${example().url}/${query()}`)
      await page.getByText('in the lobby').waitFor()
      return page
    }
    const [ada, bob, other] = [await open(), await open(), await open()]

    await ada.locator('#create').click()
    await ada.getByText('in game').waitFor()
    const id = await ada.locator('#game-id').inputValue()
    expect(id).not.toBe('')
    await bob.locator('#game-id').fill(id)
    await bob.locator('#join').click()
    await ada.getByText('another player came').waitFor()
    await other.locator('#create').click()
    await other.getByText('in game').waitFor()

    await paint(ada, 7)
    await paint(bob, 8)
    const players = [await painter(ada, 7), await painter(ada, 8)]
    expect(players[0]).not.toBe(players[1])
    expect([await painter(bob, 7), await painter(bob, 8)]).toEqual(players)

    // The other game's own action comes after whatever could have leaked into it.
    await paint(other, 1)
    await painter(other, 1)
    expect(await other.locator('[data-player]').count()).toBe(1)
    await context.close()
  })
})

async function paint(page: Page, cell: number): Promise<void> {
  await page.locator(`[data-cell="${cell}"]`).click()
}

/** Waits until the cell has been painted, and says by whom. */
async function painter(page: Page, cell: number): Promise<string | null> {
  const painted = page.locator(`[data-cell="${cell}"][data-player]`)
  await painted.waitFor()
  return painted.getAttribute('data-player')
}
