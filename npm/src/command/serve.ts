/** `switchboard serve`, which is also what the program does without a command. */

import { type Command, type Option, read } from './arguments.js'
import { nameOf, readPart } from './configuration.js'
import { HandlerFiles } from './handler-files.js'
import { check, type Plan, serve } from './server.js'

/** The port of the Mock API Server, whose variables the environment may have. */
const ENVIRONMENT_PORT = 3000

const OPTIONS: Option[] = [
  { name: 'config', short: 'c', value: 'FILE' },
  { name: 'host', value: 'HOST' },
  { name: 'port', short: 'p', value: 'PORT', isPort: true },
  { name: 'watch', requires: 'config', overrides: 'no-watch' },
  { name: 'no-watch', overrides: 'watch' },
  { name: 'control' },
  { name: 'control-reveal', requires: 'control' },
  { name: 'check' },
]

/** Without a command. */
const PROGRAM: Command = { name: '', options: [...OPTIONS, { name: 'version', short: 'V' }], positionals: [] }

const SERVE: Command = {
  name: 'serve',
  // Handler files can be watched without a configuration.
  options: [...OPTIONS.map((option) => (option.name === 'watch' ? { ...option, requires: undefined } : option)), { name: 'prefix', value: 'PREFIX' }],
  positionals: ['FILES'],
  isVariadic: true,
}

/** Runs it. `isNamed`: the words stand behind `serve`. */
export async function run(words: string[], isNamed = true): Promise<void> {
  const given = read(isNamed ? SERVE : PROGRAM, words)
  const file = given.text('config')
  const globs = given.positionals
  const plan: Plan = {
    name: globs.length > 0 && file === undefined ? globs.join(' ') : nameOf(file),
    // Who names handler files wants those, and not the built-in configuration beside them.
    read: () => (globs.length > 0 && file === undefined ? { config: {}, labels: [], hooks: [] } : readPart(file)),
    file,
    host: given.text('host'),
    port: given.port('port'),
    environmentPort: file === undefined ? ENVIRONMENT_PORT : undefined,
    control: given.flag('control'),
    reveal: given.flag('control-reveal'),
    watches: (file !== undefined || globs.length > 0) && (given.flag('watch') || (!given.flag('no-watch') && process.stdout.isTTY === true)),
    handlers: globs.length > 0 ? new HandlerFiles(globs, process.cwd()) : undefined,
    prefix: given.text('prefix'),
  }
  if (!given.flag('check')) return serve(plan)
  const count = await check(plan)
  process.stdout.write(`${plan.name}: nothing is wrong; ${count === 1 ? '1 endpoint' : `${count} endpoints`}\n`)
}
