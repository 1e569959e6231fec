/**
 * A server for each worker of Playwright, as new for each test, control of the Vite that Playwright starts, and matchers:
 * `vite-plugin-switchboard/playwright`.
 *
 * @module
 */

import { type BrowserContext, expect as base, type Page, test as baseTest } from '@playwright/test'

import type { ServeOptions, Serves, TestServer, VerifyOptions } from '../interface/testing.js'
import { type Bridged, bridge } from './bridge.js'
import { controlled, type ControlledOptions, type ControlledServer } from './controlled.js'
import { matchers } from './matchers.js'
import { serve } from './server.js'

/**
 * How the server of a worker is started, and what fails a test at its end: `test.use({ serverOptions: { … } })`. The default
 * of `timeout` is `5000` here.
 */
export interface ServerOptions extends ServeOptions {
  /** What it serves. Default: it accepts everyone. */
  serve?: Serves
  /** What may be at the end of a test. Default: no error of a handler, but open connections, which pages have, and unread messages. */
  verify?: VerifyOptions
}

/** A server for the tests of one worker. */
export interface PageServer extends TestServer {
  /**
   * Leads the sockets of a page, or of all pages of a context, whose URL matches to this server, to the path and query that
   * they have; by `routeWebSocket`, so call it before the page opens them. The page's `open` comes when this server has
   * accepted; an opening that it refuses ends with 1006 and without `open`. Cookies and `Origin` are passed on, other headers
   * are not known. What a worker of the page opens is not led here.
   */
  take(page: Page | BrowserContext, url: string | RegExp | ((url: URL) => boolean)): Promise<void>
}

/** How long in ms a call or a matcher waits where nothing else was said, as Playwright's own. */
const TIMEOUT = 5000

/** What {@link test} adds to Playwright's for each test. */
export interface ServerFixtures {
  /** The worker's server: with nobody connected, and all that tests before have changed undone. */
  server: PageServer
  /**
   * The server that serves the pages, such as the Vite of `webServer`, by its control API. It is as new when a test asks for
   * this, so ask for it before the page opens its sockets.
   */
  control: ControlledServer
  /** How {@link control} reaches it: `test.use({ controlOptions: { … } })`. Default `{}`. */
  controlOptions: ControlledOptions
}

/** What {@link test} adds to Playwright's for each worker. */
export interface WorkerFixtures {
  /** How the server is started. Default `{}`. */
  serverOptions: ServerOptions
  /** The server itself. */
  workerServer: PageServer
}

/** Playwright's `test` with the fixtures `server` and `control`. */
export const test = baseTest.extend<ServerFixtures, WorkerFixtures>({
  serverOptions: [{}, { scope: 'worker', option: true }],
  workerServer: [
    async ({ serverOptions }, use) => {
      const { serve: what, verify: _, ...options } = serverOptions
      const server = Object.assign(await serve(what, { timeout: TIMEOUT, ...options }), { take })
      await use(server)
      await server.close()
    },
    { scope: 'worker' },
  ],
  server: async ({ workerServer, serverOptions }, use, info) => {
    try {
      await use(workerServer)
      // A test that has failed already is not told what follows from that.
      if (info.status === info.expectedStatus) await workerServer.verify({ leftovers: true, ...serverOptions.verify })
    } finally {
      await workerServer.reset()
    }
  },
  controlOptions: [{}, { option: true }],
  control: async ({ controlOptions, baseURL }, use) => {
    const url = controlOptions.url ?? baseURL
    if (url === undefined) {
      throw new Error("control: which server? Write use: { baseURL: 'http://localhost:5173' } in playwright.config.ts, or controlOptions: { url: '…' }")
    }
    await controlled({ ...controlOptions, url }, use)
  },
})

/** Playwright's `expect` with the matchers for servers and their connections. */
export const expect = base.extend(matchers)

async function take(this: TestServer, page: Page | BrowserContext, url: string | RegExp | ((url: URL) => boolean)): Promise<void> {
  const context = 'context' in page ? page.context() : page
  await page.routeWebSocket(url, async (socket) => {
    const { host, pathname, search, protocol } = new URL(socket.url())
    const cookies = await context.cookies(`${protocol.replace('ws', 'http')}//${host}${pathname}`)
    const headers: Record<string, string> = {}
    if (cookies.length > 0) headers.cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    if ('context' in page && URL.canParse(page.url())) headers.origin = new URL(page.url()).origin
    await bridge(socket as Bridged, this.url(pathname + search), headers)
  })
}

export { serve } from './server.js'
export { matchers, type SwitchboardMatchers } from './matchers.js'
export type { ControlledOptions, ControlledServer } from './controlled.js'
export type * from '../interface/testing.js'
