/**
 * A server for each test of Vitest, and matchers: `vite-plugin-switchboard/vitest`.
 *
 * @module
 */

import { expect, test as base } from 'vitest'

import type { ServeOptions, Serves, TestServer, VerifyOptions } from '../interface/testing.js'
import { matchers, type SwitchboardMatchers } from './matchers.js'
import { serve } from './server.js'

expect.extend(matchers)

/** How the server of each test is started, and what fails a test at its end: `test.extend({ serverOptions: { … } })`. */
export interface ServerOptions extends ServeOptions {
  /** What it serves. Default: it accepts everyone. */
  serve?: Serves
  /** What may be at the end of a test. Default: no open connection and no error of a handler, but unread messages. */
  verify?: VerifyOptions
}

/** What {@link test} adds to Vitest's. */
export interface ServerFixtures {
  /** A server of this test's own, which is started when it is first asked for. */
  server: TestServer
  /** How it is started. Default `{}`. */
  serverOptions: ServerOptions
}

/** Vitest's `test` with the fixture `server`. */
export const test = base.extend<ServerFixtures>({
  serverOptions: async ({}, use) => {
    await use({})
  },
  server: async ({ serverOptions, task }, use) => {
    const { serve: what, verify, ...options } = serverOptions
    const server = await serve(what, options)
    try {
      await use(server)
      // A test that has failed already is not told what follows from that.
      if (task.result?.state !== 'fail') await server.verify(verify)
    } finally {
      await server.close()
    }
  },
})

export { expect, test as it }
export { serve } from './server.js'
export { matchers, type SwitchboardMatchers } from './matchers.js'
export type * from '../interface/testing.js'

declare module 'vitest' {
  interface Assertion<T = any> extends SwitchboardMatchers {}
}
