/** The handlers that a module exports. */

import type { WebSocketHandler } from '../interface/handler.js'
import { shapeOf } from '../values/arguments.js'
import { patternOf } from './pattern.js'

/** A handler, and where it was written: `ws/chat.ts: default`. */
export interface Written {
  handler: WebSocketHandler
  label: string
}

/** What makes an object that is exported by name a handler, where it has no pattern. */
const CALLBACKS = ['onConnect', 'onMessage', 'onPing', 'onPong', 'onClose', 'onError', 'transformRawData']

/**
 * The handlers of a module: its default export, which is one or a list of them, and what it exports by name and looks
 * like one. `path` is the file's, relative to the root; it becomes the pattern of a handler that has none. Throws what is
 * wrong with the exports.
 */
export function handlersOf(module: Record<string, unknown>, path: string): Written[] {
  const written: Written[] = []
  const { default: main, ...named } = module
  if (main !== undefined) {
    const list: unknown[] = Array.isArray(main) ? main : [main]
    for (const [index, handler] of list.entries()) {
      const label = `${path}: default${Array.isArray(main) ? `[${index}]` : ''}`
      if (!isObject(handler)) throw new TypeError(`${label}: expected a handler or a list of handlers, got ${shapeOf(handler)}`)
      written.push({ handler: withPattern(handler, path), label })
    }
  }
  for (const [name, handler] of Object.entries(named)) {
    if (!isObject(handler) || !looksLikeHandler(handler)) continue
    written.push({ handler: withPattern(handler, path), label: `${path}: ${name}` })
  }
  expectOwnPatterns(written, path)
  return written
}

/** Only one handler of a file can have the file's own pattern. */
function expectOwnPatterns(written: Written[], path: string): void {
  const own = patternOf(path)
  const taken = written.filter(({ handler }) => handler.pattern === own)
  if (taken.length < 2) return
  const labels = taken.map(({ label }) => label.slice(path.length + 2)).join(' and ')
  throw new Error(`${path}: ${labels} have the same pattern ${own}; write a pattern in all but one of them`)
}

function withPattern(handler: Record<string, unknown>, path: string): WebSocketHandler {
  if (handler.pattern !== undefined && handler.pattern !== null) return handler as unknown as WebSocketHandler
  return { ...handler, pattern: patternOf(path) }
}

function looksLikeHandler(value: Record<string, unknown>): boolean {
  return typeof value.pattern === 'string' || CALLBACKS.some((name) => typeof value[name] === 'function')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
