/** Handler files without Vite. */

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { WebSocketHandler } from '../interface/handler.js'
import { errorText } from '../values/error.js'
import { handlersOf } from './exports.js'
import { findFiles, pathBelow } from './find.js'

/**
 * Imports handler files, once, for `attach` and `createSwitchboard`:
 * `attach(server, { wsHandlers: await loadHandlers('ws/**\/*.js') })`. Each exports its handlers as files of the plugin's
 * option `files` do. Node itself imports them, so TypeScript needs a Node that strips types.
 *
 * @param patterns Globs, relative to `root`; one that begins with `!` takes files out.
 * @param options `root`: the folder that patterns and the paths that become patterns are relative to. Default: the working
 *   directory.
 * @returns The handlers, in the order of their files' paths.
 * @throws What a file throws, what is wrong with its exports, and an `Error` if no file matches.
 */
export async function loadHandlers(
  patterns: string | string[],
  options: { root?: string } = {},
): Promise<WebSocketHandler[]> {
  const root = resolve(options.root ?? '.')
  const files = findFiles(patterns, root)
  if (files.length === 0) throw new Error(`loadHandlers: no file matches ${[patterns].flat().join(', ')} below ${root}`)
  const handlers: WebSocketHandler[] = []
  for (const file of files) {
    const path = pathBelow(root, file)
    const module = await importFile(file, path)
    handlers.push(...handlersOf(module, path).map(({ handler }) => handler))
  }
  return handlers
}

async function importFile(file: string, path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (error) {
    throw new Error(`${path}: ${errorText(error)}`, { cause: error })
  }
}
