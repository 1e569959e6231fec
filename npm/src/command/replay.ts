/** `switchboard replay`: a server that says again what was recorded. */

import { closeSync, openSync } from 'node:fs'

import { type Command, read } from './arguments.js'
import { mistake } from './exit.js'
import { serve } from './server.js'
import { systemError } from './system-error.js'

const DEFAULT_PORT = 4004

const REPLAY: Command = {
  name: 'replay',
  options: [
    { name: 'listen', value: 'PORT', isPort: true },
    { name: 'speed', value: 'SPEED' },
    { name: 'match', value: 'MATCH' },
    { name: 'loop' },
  ],
  positionals: ['FILE'],
}

/** Runs it. */
export function run(words: string[]): Promise<void> {
  const given = read(REPLAY, words)
  const [file] = given.positionals as [string]
  try {
    closeSync(openSync(file, 'r'))
  } catch (error) {
    throw mistake(file, `cannot be read: ${systemError(error)}`)
  }
  const player = {
    file,
    speed: given.text('speed') ?? '1',
    matching: given.text('match') ?? 'shape',
    repeats: given.flag('loop'),
    port: given.port('listen') ?? DEFAULT_PORT,
  }
  return serve({ name: file, read: () => ({ player, file, labels: [], hooks: [] }) })
}
