/** `switchboard record`: a proxy that writes what passes. */

import { type Command, read } from './arguments.js'
import { serve } from './server.js'

const DEFAULT_PORT = 4004

const RECORD: Command = {
  name: 'record',
  options: [
    { name: 'out', value: 'FILE', isRequired: true },
    { name: 'listen', value: 'PORT', isPort: true },
    { name: 'mask', value: 'PATTERN', isList: true },
  ],
  positionals: ['URL'],
}

/** Runs it. */
export function run(words: string[]): Promise<void> {
  const given = read(RECORD, words)
  const [url] = given.positionals as [string]
  const recorder = { url, out: given.text('out')!, mask: given.texts('mask'), port: given.port('listen') ?? DEFAULT_PORT }
  return serve({ name: url, read: () => ({ recorder, file: url, labels: [], hooks: [] }) })
}
