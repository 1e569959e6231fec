/** The plugin's options. */

import { controlOf, type ControlSettings } from '../control/settings.js'
import type { Written } from '../files/exports.js'
import type { RouteOptions } from '../interface/handler.js'
import type { PluginOptions } from '../interface/options.js'
import { flag, name, shapeOf } from '../values/arguments.js'

/** Options with their defaults filled in. */
export interface Resolved {
  enabled: boolean
  prefixes: string[]
  /** `wsHandlers`, and behind them those of files. */
  handlers: Written[]
  routes: RouteOptions[]
  /** Keys as the user wrote them, for the engine to find mistakes in. */
  given: string[]
  /** Keys of vite-plugin-universal-api that are only about HTTP. */
  ignored: string[]
  environment: Record<string, string>
  /** The control API, if it is on. */
  control: ControlSettings | undefined
  /** Whether the inspector is served. */
  inspector: boolean
  options: PluginOptions
}

/** The keys that exist. */
export const KNOWN_KEYS = [
  'endpointPrefix',
  'enableWs',
  'wsHandlers',
  'routes',
  'config',
  'disable',
  'logLevel',
  'delay',
  'origins',
  'allowedHosts',
  'asyncapi',
  'feeds',
  'limits',
  'recordings',
  'shutdownGrace',
  'environment',
  'logger',
  'clock',
  'control',
  'inspector',
  'enablePreview',
  'files',
]

const HTTP_KEYS = [
  'fsDir',
  'handlers',
  'parser',
  'pagination',
  'filters',
  'gatewayTimeout',
  'errorMiddlewares',
  'handlerMiddlewares',
  'noHandledRestFsRequestsAction',
  'disablePureFsApi',
]

/**
 * Fills in the defaults that decide whether anything is served. A key that is `null` is as if it were not there. `written`
 * are the handlers of files.
 */
export function resolve(given: PluginOptions, written: Written[] = []): Resolved {
  const options = withoutNull(given)
  const prefixes = normalizePrefixes(options.endpointPrefix ?? '/api')
  const keys = Object.keys(options)
  const handlers = prefixes.length > 0 ? [...listed(options.wsHandlers ?? []), ...written] : []
  const routes = options.routes ?? []
  // An unknown key may be a misspelt one of these: then the engine is started, which reports it.
  const environment = defined(options.environment ?? process.env)
  const isUseful =
    ['wsHandlers', 'routes', 'config', 'files', 'asyncapi'].some((key) => keys.includes(key)) || Boolean(environment.WEBSOCKET_ENABLED)
  const isMisspelt = keys.some((key) => !KNOWN_KEYS.includes(key) && !HTTP_KEYS.includes(key))
  return {
    enabled: !options.disable && (options.enableWs ?? (isUseful || isMisspelt)),
    prefixes,
    handlers,
    routes,
    given: keys.filter((key) => !HTTP_KEYS.includes(key)),
    ignored: keys.filter((key) => HTTP_KEYS.includes(key)),
    environment,
    ...pageOf(options, controlOf(options.control, environment)),
    options,
  }
}

/** The control API, and the inspector, which stands on it. */
function pageOf({ inspector }: PluginOptions, control: ControlSettings | undefined): Pick<Resolved, 'control' | 'inspector'> {
  const isOn = flag(inspector, '[switchboard] inspector')
  if (isOn && !control) throw new Error('[switchboard] inspector: it needs the control API; write control: true beside it')
  return { control, inspector: isOn }
}

/** The same without the keys whose value is `null` or `undefined`. */
export function withoutNull<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null)) as T
}

function listed(handlers: unknown): Written[] {
  if (!Array.isArray(handlers)) throw new Error(`[switchboard] wsHandlers: expected a list, got ${shapeOf(handlers)}`)
  return handlers.map((handler, index) => ({ handler, label: `wsHandlers[${index}]` }))
}

function defined(variables: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
}

/** With a leading slash and without a trailing one; an empty prefix and `/` are none. */
function normalizePrefixes(prefix: string | string[]): string[] {
  const prefixes = [prefix].flat().map((text) => name(text, '[switchboard] endpointPrefix').split('/').filter(Boolean).join('/'))
  return [...new Set(prefixes.filter(Boolean).map((text) => `/${text}`))]
}
