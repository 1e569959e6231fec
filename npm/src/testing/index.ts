/**
 * Servers for tests: `vite-plugin-switchboard/testing`.
 *
 * @module
 */

export { matchers, type SwitchboardMatchers } from './matchers.js'
export { serve } from './server.js'

export type { Clock } from '../interface/clock.js'
export type {
  Closure,
  Duration,
  Expected,
  HandlerModule,
  Refusal,
  ServeOptions,
  Serves,
  TestConnection,
  TestHandler,
  TestServer,
  VerifyOptions,
  WaitOptions,
} from '../interface/testing.js'
