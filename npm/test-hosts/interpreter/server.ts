/** The servers of a test: the one in whose interpreter it runs. */

import { disconnectAll } from '../../test/support/client.js'
import { control, listen, log, ready, tell } from './control.js'
import { endings } from './vitest.js'

type Handler = Record<string, unknown>

/** What a test serves. */
export interface Served {
  handlers: Handler[]
  routes: Handler[]
  /** What belongs to the server's configuration. */
  config: Record<string, unknown>
}

let started: ((served: Served) => void) | undefined
let now: Served | undefined

/** What the next test serves, as soon as it does. */
export function served(): Promise<Served> {
  now = undefined
  return new Promise((resolve) => (started = resolve))
}

/** What the test serves now. */
export const servedNow = (): Served => now!

const stops: (() => unknown)[] = []

endings.push(async () => {
  disconnectAll()
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** Has something done after the test. */
export function atEnd(stop: () => unknown): void {
  stops.push(stop)
}

export async function serve(handlers: Handler | Handler[], { routes, ...config }: Record<string, any> = {}): Promise<object> {
  const isFirst = now === undefined
  now = { handlers: [handlers].flat() as Handler[], routes: routes ?? [], config }
  if (isFirst) started!(now)
  const port = await ready
  if (!isFirst) await replaced(config)
  const { lines } = log
  return { port, lines, url: (path: string) => `ws://127.0.0.1:${port}${path}`, stop: () => {} }
}

/** The server takes what the test serves now, in place of what it served before. */
function replaced(config: Served['config']): Promise<void> {
  log.lines = []
  return new Promise((resolve) => {
    tell({ replace: listen(() => resolve()), config })
  })
}

export const serveVite = (options: Record<string, any>): Promise<object> => {
  const { wsHandlers, ...rest } = options
  return serve(wsHandlers ?? [], rest)
}

export function signal<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((fulfil) => (resolve = fulfil))
  return { promise, resolve }
}

export function collect(): never {
  throw new Error('a test here has no logger')
}

export function folder(): never {
  throw new Error('a test here has no folder')
}

export { control }
