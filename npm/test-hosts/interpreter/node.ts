/** What tests use of Node's modules. */

export { once } from './emitter.js'
export { connect } from './ws.js'

/** `node:timers/promises` */
export const setImmediate = (): Promise<void> => new Promise((resolve) => globalThis.setImmediate(resolve))
export const setTimeout = (ms: number): Promise<void> => new Promise((resolve) => globalThis.setTimeout(resolve, ms))

const nothing = {}
;(globalThis as any).process ??= { on: () => nothing, off: () => nothing, env: {}, stdout: {}, argv: [] }

/** `node:util`: as the interpreter shows a value that knows how. */
export function inspect(value: any): string {
  return value[Symbol.for('nodejs.util.inspect.custom')](2, {}, (shown: unknown) => JSON.stringify(shown))
}

/** `node:http` is of no use here. */
export function createServer(): never {
  throw new Error('a test here has one server')
}
export const request = createServer

/** `node:url` */
export const fileURLToPath = (url: URL): string => url.pathname
