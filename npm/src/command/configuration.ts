/** The configuration of a command, for the engine. */

import { readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Part } from '../config/setup.js'
import { createInstance } from '../engine/wasm.js'
import { mistake } from './exit.js'
import { systemError } from './system-error.js'

/** What is served without `--config`: the native server's own file. */
const BUILT_IN = join(dirname(fileURLToPath(import.meta.url)), 'switchboard.toml')

/** Where a server of its own listens, and what else is known of a configuration before it is served. */
export interface Listen {
  host: string
  port: number
  tls: { cert: string; key: string } | null
  /** In ms. */
  handshakeTimeout: number
  /** How many connections there may be. */
  maxConnections: number
  /** The files that belong to it. */
  files: string[]
  /** Whether the environment adds routes. */
  addsEnvironment: boolean
  /** The pattern of a route without a handler. */
  lacksHandler: string | null
}

/** The configuration's name for messages. */
export function nameOf(file: string | undefined): string {
  return file ?? 'the built-in configuration'
}

/** The text of a configuration's file, or of the built-in one. */
export function readPart(file: string | undefined): Part {
  let text
  try {
    text = readFileSync(file ?? BUILT_IN, 'utf8')
  } catch (error) {
    throw mistake(nameOf(file), `cannot be read: ${systemError(error)}`)
  }
  const isJson = file !== undefined && extname(file).toLowerCase() === '.json'
  // As it was written: without a folder it begins in the working directory.
  const folder = file === undefined ? undefined : /^\.[/\\]/.test(file) || dirname(file) !== '.' ? dirname(file) : ''
  return { ...(isJson ? { json: text } : { toml: text }), file: nameOf(file), folder, labels: [], hooks: [] }
}

/** What is to be known of a configuration. Throws what is wrong with it. */
export function listenOf(part: Part, environment: Record<string, string>): Listen {
  const answer = JSON.parse(createInstance().Switchboard.listen({ part, environment })) as Listen | { error: string }
  if ('error' in answer) throw new ConfigurationError(answer.error)
  return answer
}

/** What is wrong with a configuration: the whole line, with the file's name. */
export class ConfigurationError extends Error {}
