/** Runs one test of a file: it serves its handlers, and goes on when the server listens. */

import './node.js'
// @ts-expect-error The bundler knows which one it is.
import 'the-file-of-tests'

import { ready, tell } from './control.js'
import { control, served, servedNow, type Served } from './server.js'
import { endings, written } from './vitest.js'

export { served, written }

/** The handlers of a test, and that of its runner. */
export async function handlersOf(number: number, prefix: string): Promise<object[]> {
  const { body, given } = written[number]!
  const begun = served()
  const test = (async () => body(...given))()
  test.then(
    () => tell({ done: true }),
    (error) => tell({ failed: text(error), stack: String(error?.stack ?? '') }),
  )
  void test.finally(() => Promise.all(endings.map((end) => end()))).catch(() => {})
  const nothing: Served = { handlers: [], routes: [], config: {} }
  const { handlers, routes } = await Promise.race([begun, test.then(() => nothing, () => nothing)])
  void ready
  return all({ handlers, routes }, prefix)
}

/** The handlers of the server that a test has started in place of the one before. */
export const handlersOfNow = (prefix: string): object[] => all(servedNow(), prefix)

function all({ handlers, routes }: Pick<Served, 'handlers' | 'routes'>, prefix: string): object[] {
  const below = (handler: any): object => (prefix === '' ? { ...handler, pattern: `/api${handler.pattern}` } : handler)
  return [below(control), ...routes, ...handlers.map(below)]
}

function text(error: any): string {
  const shown = (value: unknown): string => {
    try {
      return JSON.stringify(value) ?? String(value)
    } catch {
      return String(value)
    }
  }
  const { message, expected, actual } = error ?? {}
  const compared = expected === undefined && actual === undefined ? '' : `\nexpected ${shown(expected)}\n     got ${shown(actual)}`
  return `${message ?? error}${compared}`
}
