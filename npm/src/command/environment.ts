/** The environment: variables of the process, and those in `.env` files of the working directory. */

import { readFileSync } from 'node:fs'

import { createInstance } from '../engine/wasm.js'
import { mistake } from './exit.js'
import { systemError } from './system-error.js'

/** The variables: those of the process come before those of files, and later files before earlier ones. */
export function readEnvironment(): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const file of environmentFiles()) {
    let text
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw mistake(file, `cannot be read: ${systemError(error)}`)
    }
    const pairs = createInstance().Switchboard.dotenv(text)
    for (let index = 0; index < pairs.length; index += 2) variables[pairs[index]!] = pairs[index + 1]!
  }
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) variables[name] = value
  return variables
}

/** The names of the files that may be there. */
export function environmentFiles(): string[] {
  const mode = process.env.NODE_ENV || 'development'
  return ['.env', '.env.local', `.env.${mode}`, `.env.${mode}.local`]
}
