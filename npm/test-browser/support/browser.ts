import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'

/** Where systems install it; `cargo xtask test` says where it is by `CHROMIUM`. */
const usualPlace = '/usr/bin/chromium'

const flags = [
  '--no-sandbox', // it does not start as root with it
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * The system's Chromium for the tests of a file, with these flags in addition. Each call of what it returns opens a fresh
 * profile.
 */
export function useBrowser(...more: string[]): (options?: BrowserContextOptions) => Promise<BrowserContext> {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM || usualPlace, args: [...flags, ...more] })
  })
  afterAll(async () => {
    await browser?.close()
  })
  return (options) => browser.newContext(options)
}
