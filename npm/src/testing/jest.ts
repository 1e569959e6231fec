/**
 * Matchers for Jest: `import 'vite-plugin-switchboard/jest'` adds them to the global `expect`. Where Jest sets no globals,
 * write `expect.extend(matchers)`.
 *
 * @module
 */

import type {} from 'expect'

import { matchers, type SwitchboardMatchers } from './matchers.js'

const { expect } = globalThis as { expect?: { extend?: (added: typeof matchers) => void } }
expect?.extend?.(matchers)

export { serve } from './server.js'
export { matchers, type SwitchboardMatchers } from './matchers.js'
export type * from '../interface/testing.js'

declare global {
  namespace jest {
    interface Matchers<R, T = {}> extends SwitchboardMatchers {}
  }
}

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends SwitchboardMatchers {}
}
