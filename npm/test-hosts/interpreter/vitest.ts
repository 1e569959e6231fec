/** What the tests import of vitest, where they run in the interpreter of the native server. */

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  customMatchers,
  getState,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import * as chai from 'chai'

/** A test of the file. */
export interface Written {
  title: string
  /** What `test.each` gives to the title and to the function. */
  given: unknown[]
  body: (...given: any[]) => unknown
}

/** All tests of the file, in order. */
export const written: Written[] = []

export function test(title: string, body: () => unknown): void {
  written.push({ title, given: [], body })
}

test.each = (table: readonly unknown[]) => (title: string, body: (...given: any[]) => unknown) => {
  for (const row of table) written.push({ title, given: Array.isArray(row) ? row : [row], body })
}

/** What is to be done after the test. */
export const endings: (() => unknown)[] = []

export function afterEach(ending: () => unknown): void {
  endings.push(ending)
}

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

export const expect: any = (value: unknown, message?: string) => chai.expect(value, message)
Object.assign(expect, chai.expect, (globalThis as any)[ASYMMETRIC_MATCHERS_OBJECT], {
  getState: () => getState(expect),
  setState: (state: object) => setState(state, expect),
  extend: (matchers: object) => (chai.expect as any).extend(expect, matchers),
})
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, writable: true, configurable: true })
setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null } as never, expect)
expect.extend(customMatchers)

/** How often a condition is looked at, and for how long, in ms. */
const [INTERVAL, PATIENCE] = [20, 5000]

/** Looks again until what a function gives is as expected. */
expect.poll = (look: () => unknown, { timeout = PATIENCE } = {}) =>
  new Proxy(
    {},
    {
      get: (_, matcher: string) => async (...given: unknown[]) => {
        for (const end = performance.now() + timeout; ; await new Promise((resolve) => setTimeout(resolve, INTERVAL))) {
          try {
            return expect(await look())[matcher](...given)
          } catch (error) {
            if (performance.now() >= end) throw error
          }
        }
      },
    },
  )
