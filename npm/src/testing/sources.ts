/** What a server for tests is asked to serve. */

import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { handlersOf } from '../files/exports.js'
import { findFiles, pathBelow } from '../files/find.js'
import type { RouteOptions } from '../interface/handler.js'
import type { ServeOptions, Serves, TestHandler } from '../interface/testing.js'
import { shapeOf } from '../values/arguments.js'
import { errorText } from '../values/error.js'

/** Routes, and the path of a configuration file. */
export interface Source {
  routes: RouteOptions[]
  config?: string | undefined
}

/** What is known at once, files that are still to be loaded, and the other options. */
export interface Given {
  source: Source
  files: string[]
  options: ServeOptions
}

/** What only handlers have: one of them makes an object a handler. */
const OF_HANDLERS = [
  'pattern',
  ...['onConnect', 'onMessage', 'onPing', 'onPong', 'onClose', 'onError', 'transformRawData'],
  ...['responses', 'dialect', 'rules', 'proxy', 'phoenix', 'actions', 'topics', 'commands', 'events', 'replay', 'scenario'],
]

const EVERY_PATH = '/**'

/** Reads what `serve` or `use` was given. Throws a `TypeError` for what cannot be served. */
export function given(what: Serves | undefined | null, name: string, prefix?: string | string[]): Given {
  if (what === undefined || what === null) return { source: { routes: [] }, files: [], options: {} }
  if (typeof what === 'string') {
    const isConfig = ['.toml', '.json'].includes(extname(what))
    return { source: { routes: [], config: isConfig ? what : undefined }, files: isConfig ? [] : [what], options: {} }
  }
  if (typeof what !== 'object') throw new TypeError(`${name}: expected handlers, a file or options, got ${shapeOf(what)}`)
  if (isModule(what)) return { source: { routes: routesOf(ofModule(what), prefix) }, files: [], options: {} }
  if (Array.isArray(what)) return { source: { routes: routesOf(what, prefix) }, files: [], options: {} }
  if (OF_HANDLERS.some((key) => key in what)) return { source: { routes: routesOf([what as TestHandler], prefix) }, files: [], options: {} }
  const { wsHandlers = [], routes = [], config, files = [], ...options } = what as ServeOptions
  return {
    source: { routes: [...routesOf(wsHandlers, options.endpointPrefix ?? prefix), ...routesOf(routes, [])], config },
    files: [files].flat(),
    options,
  }
}

/** Handlers as routes for whole paths: with the prefix where they name none, and for every path where they have no pattern. */
function routesOf(handlers: TestHandler[], prefix: string | string[] = []): RouteOptions[] {
  return handlers.map((handler, index) => {
    if (typeof handler !== 'object' || handler === null) {
      throw new TypeError(`handlers[${index}]: expected a handler such as { pattern: '/chat', onMessage: … }, got ${shapeOf(handler)}`)
    }
    // Its functions may be those of its class.
    const route = Object.assign(Object.create(Object.getPrototypeOf(handler) as object | null) as RouteOptions, {
      pattern: EVERY_PATH,
      // As in Vite: the client's first offer is taken.
      subprotocols: ['*'],
      prefix: [prefix].flat().filter((one) => one !== '' && one !== '/'),
    })
    for (const [key, value] of Object.entries(handler)) if (value !== undefined) Object.assign(route, { [key]: value })
    return route
  })
}

/** Handler files, as of the plugin. Those that Node cannot load are loaded by Vite. */
export async function load(patterns: string[], prefix?: string | string[]): Promise<RouteOptions[]> {
  if (patterns.length === 0) return []
  const root = process.cwd()
  const files = findFiles(patterns, root)
  if (files.length === 0) throw new Error(`no handler file matches ${patterns.join(', ')} below ${root}`)
  const routes: RouteOptions[] = []
  for (const file of files) {
    const module = await importFile(resolve(file))
    routes.push(...routesOf(handlersOf(module, pathBelow(root, file)).map(({ handler }) => handler), prefix))
  }
  return routes
}

async function importFile(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Record<string, unknown>
  } catch (error) {
    // TypeScript, in a Node that does not strip types.
    if ((error as { code?: string }).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw new Error(`${file}: ${errorText(error)}`, { cause: error })
  }
  const vite = await import('vite').catch(() => undefined)
  if (vite?.runnerImport === undefined) {
    throw new Error(`${file}: this Node does not load TypeScript; import the file in the test and serve its handlers, or install vite`)
  }
  return (await vite.runnerImport<Record<string, unknown>>(file, { configFile: false, logLevel: 'error' })).module
}

/** These routes before those, in place of those with the same pattern. */
export function before(first: RouteOptions[], others: RouteOptions[]): RouteOptions[] {
  const taken = new Set(first.map(identity))
  return [...first, ...others.filter((route) => !taken.has(identity(route)))]
}

function identity({ pattern, prefix = [] }: RouteOptions): string {
  return JSON.stringify([pattern, [prefix].flat()])
}

/** What is served where nothing was given: every connection is accepted. */
export function orEverything({ routes, config }: Source): RouteOptions[] {
  return routes.length > 0 || config !== undefined ? routes : routesOf([{}])
}

function isModule(what: object): boolean {
  return Object.prototype.toString.call(what) === '[object Module]'
}

function ofModule(module: object): TestHandler[] {
  // Where a handler has no pattern, its file's path is not known here: it is for every path.
  return handlersOf({ ...module }, '**').map(({ handler }) => handler)
}
