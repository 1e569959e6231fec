/** From options to what the engine is made of: data for it, functions for us. */

import { readFileSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'

import { separateChannels } from '../dialect/channel.js'
import { separateCommands } from '../dialect/commands.js'
import { type ProxyInspectors, separateProxy } from '../dialect/proxy.js'
import type { CommandsEvents } from '../interface/commands.js'
import type { Callbacks, ResponseRule, RouteOptions, WebSocketHandler } from '../interface/handler.js'
import type { ChannelCallbacks } from '../interface/phoenix.js'
import type { StandardSchema } from '../interface/schema.js'
import { shapeOf } from '../values/arguments.js'
import { checkSchema } from '../values/validation.js'
import { KNOWN_KEYS, type Resolved, withoutNull } from './options.js'

/** The functions of one route. */
export interface RouteCallbacks extends Callbacks {
  authenticate?: (request: any) => unknown
  responses: ResponseRule[]
  parse: 'json' | 'text' | 'none' | undefined
  /** What messages have to be. */
  schema: StandardSchema | undefined
  /** What looks at the messages of a `proxy`. */
  inspectors: ProxyInspectors
  /** The channels of `phoenix`, by topic. */
  channels: Map<string, ChannelCallbacks>
  /** What is told of the events of `commands`. */
  events: CommandsEvents
}

/** The data for the engine, and the functions of each route. */
export interface Setup {
  data: object
  routes: RouteCallbacks[]
}

/** One configuration for the engine: `wasm/src/setup.rs`. */
export interface Part {
  config?: object
  toml?: string
  json?: string
  recorder?: { url: string; out: string; mask: string[]; port: number }
  player?: { file: string; speed: string; matching: string; repeats: boolean; port: number }
  file?: string
  /** Where the files that it names begin. */
  folder?: string
  /** Whether its limits apply to the server; the last part with `true` counts. */
  rules?: boolean
  labels: string[]
  hooks: object[]
}

/** What a server has that nobody shares its port with. */
export interface Own {
  /** Its configuration. */
  part?: Part
}

/** As in vite-plugin-universal-api, where nothing is configured the client's first offer is taken. */
const ANY_SUBPROTOCOL = { subprotocols: ['*'] }

/** The plugin's prefix is for `wsHandlers` alone. */
const WHOLE_PATHS = { prefix: [] }

/** The types that `authenticate` may have. */
const AUTHENTICATES = new Set(['undefined', 'boolean', 'string', 'object', 'function'])

const CALLBACKS = [
  'onConnect',
  'onMessage',
  'onPing',
  'onPong',
  'onClose',
  'onError',
  'transformRawData',
] as const

/**
 * Splits the options. `root` is where a relative path of a configuration file starts; `servedHosts` are the names under
 * which the server around lets pages in by itself; `trace` asks for lines of the level `debug`; `own` is there where nothing else
 * answers on the port.
 */
export function setUp(resolved: Resolved, root: string, servedHosts: true | string[] = [], trace = false, own?: Own): Setup {
  const { options, prefixes, handlers, routes } = resolved
  const { delay, origins, allowedHosts, asyncapi, feeds, limits, recordings, shutdownGrace } = options
  const split = [
    ...handlers.map(({ handler, label }) => ({ handler, label, defaults: ANY_SUBPROTOCOL })),
    ...list<RouteOptions>(routes, 'routes').map((handler, index) => ({
      handler,
      label: `routes[${index}]`,
      defaults: WHOLE_PATHS,
    })),
  ].map(({ handler, label, defaults }) => ({ label, ...separate(handler, label, defaults) }))
  const parts: Part[] = [
    {
      config: {
        prefix: prefixes,
        delay,
        origins,
        allowedHosts,
        asyncapi,
        feeds,
        limits,
        recordings,
        shutdownGrace,
        routes: split.map(({ data }) => data),
      },
      rules: true,
      folder: root,
      labels: split.map(({ label }) => label),
      hooks: split.map(({ hooks }) => hooks),
    },
  ]
  if (options.config !== undefined) {
    const rules = limits === undefined && recordings === undefined && shutdownGrace === undefined
    parts.push({ ...readPart(resolve(root, options.config), options.config), rules })
  }
  if (own?.part) parts.push({ ...own.part, rules: true })
  const alone = own && { claimsAll: true, describe: true }
  return {
    data: plain({ ...alone, given: resolved.given, known: KNOWN_KEYS, parts, allowedHosts: servedHosts, environment: resolved.environment, trace, control: resolved.control }),
    routes: split.map(({ callbacks }) => callbacks),
  }
}

/** Separates a handler's functions from its data. */
function separate(
  handler: WebSocketHandler,
  label: string,
  defaults: object,
): { callbacks: RouteCallbacks; data: Record<string, unknown>; hooks: object } {
  if (typeof handler !== 'object' || handler === null) {
    throw new Error(`${label}: expected an object with a pattern, got ${shapeOf(handler)}`)
  }
  // Access is not guessed: `null` is a mistake.
  if (handler.authenticate === null || !AUTHENTICATES.has(typeof handler.authenticate)) {
    const got = shapeOf(handler.authenticate)
    throw new Error(`${label}.authenticate: expected a function, true, false, a header's name or { token: … }, got ${got}`)
  }
  const data: Record<string, unknown> = { ...defaults, ...withoutNull(handler) }
  if (Array.isArray(data.responses)) data.responses = data.responses.map(withAudience)
  const channels = separateChannels(data.phoenix, label)
  const proxy = separateProxy(data.proxy, label)
  const commands = separateCommands(data.commands, label)
  Object.assign(data, { phoenix: channels.data, proxy: proxy.data, commands: commands.data })
  const callbacks: RouteCallbacks = {
    responses: [],
    parse: handler.parse ?? undefined,
    schema: checkSchema(data.message, `${label}.message`),
    inspectors: proxy.inspectors,
    channels: channels.functions,
    events: commands.functions,
  }
  for (const name of CALLBACKS) {
    const callback: unknown = handler[name]
    delete data[name]
    if (typeof callback === 'function') callbacks[name] = callback.bind(handler)
    else if (callback !== undefined && callback !== null) throw new Error(`${label}.${name}: expected a function, got ${shapeOf(callback)}`)
  }
  if (typeof handler.authenticate === 'function') {
    callbacks.authenticate = handler.authenticate.bind(handler)
    delete data.authenticate
  }
  if (needsCallbacks(data as unknown as WebSocketHandler)) {
    callbacks.responses = responses(data as unknown as WebSocketHandler, label)
    delete data.responses
  }
  // For TypeScript alone, but a mistake all the same.
  checkSchema(data.sends, `${label}.sends`)
  delete data.message
  delete data.sends
  if (callbacks.schema && !callbacks.onMessage && callbacks.responses.length === 0) {
    throw new Error(`${label}.message: nothing gets the messages that it is for; add onMessage, or responses with functions`)
  }
  const hooks = {
    revision: hasFunctions(callbacks) ? revisionOf(handler) : 0,
    proxy: {
      client: proxy.inspectors.onClientMessage !== undefined,
      target: proxy.inspectors.onTargetMessage !== undefined,
    },
    events: commands.events,
    channels: [...channels.functions.keys()],
    authenticate: callbacks.authenticate !== undefined,
    connect: callbacks.onConnect !== undefined,
    transform: callbacks.transformRawData !== undefined,
    responses: callbacks.responses.map((rule) => rule.broadcast ?? false),
    message: callbacks.onMessage !== undefined,
    ping: callbacks.onPing !== undefined,
    pong: callbacks.onPong !== undefined,
    close: callbacks.onClose !== undefined,
    error: callbacks.onError !== undefined,
  }
  return { callbacks, data, hooks }
}

const revisions = new WeakMap<object, number>()
let latestRevision = 0

/** Another number for every handler: the code of functions cannot be compared. */
function revisionOf(handler: object): number {
  const revision = revisions.get(handler) ?? ++latestRevision
  revisions.set(handler, revision)
  return revision
}

function hasFunctions(callbacks: RouteCallbacks): boolean {
  const { authenticate, responses, inspectors, channels, events } = callbacks
  const own = CALLBACKS.some((name) => callbacks[name] !== undefined)
  const ofDialects = channels.size > 0 || [inspectors, events].some((functions) => Object.keys(functions).length > 0)
  return own || ofDialects || authenticate !== undefined || responses.length > 0
}

/** As in vite-plugin-universal-api, an empty `room` counts as none. */
function withAudience(rule: ResponseRule): ResponseRule {
  const broadcast: unknown = rule?.broadcast
  if (typeof broadcast !== 'object' || broadcast === null || !('room' in broadcast) || broadcast.room) return rule
  const { room: _, ...rest } = broadcast
  return { ...rule, broadcast: rest }
}

/** The engine answers with `responses` itself, unless functions are involved. */
function needsCallbacks(handler: WebSocketHandler): boolean {
  if (!Array.isArray(handler.responses) || handler.responses.length === 0) return false
  const isFunction = handler.responses.some(
    (rule) => typeof rule?.match === 'function' || typeof rule?.response === 'function',
  )
  return isFunction || typeof handler.onMessage === 'function' || typeof handler.transformRawData === 'function'
}

function responses(handler: WebSocketHandler, label: string): ResponseRule[] {
  return handler.responses!.map((rule, index) => {
    if (typeof rule?.match !== 'function') {
      throw new Error(
        `${label}.responses[${index}].match: expected a function, because the handler has other functions that see ` +
          'messages; or leave out all of them',
      )
    }
    return rule
  })
}

function list<T>(value: unknown, name: string): T[] {
  if (!Array.isArray(value)) throw new Error(`${name}: expected a list, got ${shapeOf(value)}`)
  return value
}

function readPart(file: string, written: string): Part {
  const part = { file: written, folder: dirname(file), labels: [], hooks: [] }
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`config: cannot read ${file}: ${(error as Error).message}`)
  }
  switch (extname(file)) {
    case '.toml':
      return { ...part, toml: text }
    case '.json':
      return { ...part, json: text }
    default:
      throw new Error(`config: ${written} is neither a .toml nor a .json file`)
  }
}

/**
 * Only what JSON has, as it has it: without keys of `undefined`. A function where data is expected becomes `null`, so
 * that its key is noticed instead of lost.
 */
function plain(setup: object): object {
  return JSON.parse(JSON.stringify(setup, (_, value: unknown) => (typeof value === 'function' ? null : value)))
}
