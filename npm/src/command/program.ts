/** The program `switchboard` on Node: one file for each command, loaded when it is asked for. */

import { usageError } from './arguments.js'
import { Exit } from './exit.js'
import { longHelp, USAGES } from './help.js'
import { similar } from './similar.js'
import { version } from './version.js'

const COMMANDS: Record<string, () => Promise<{ run(words: string[]): void | Promise<void> }>> = {
  serve: () => import('./serve.js'),
  record: () => import('./record.js'),
  replay: () => import('./replay.js'),
  convert: () => import('./convert.js'),
  asyncapi: () => import('./asyncapi.js'),
  init: () => import('./init.js'),
  mcp: () => import('./mcp.js'),
}

/** Does what the words behind the program's name say. Sets the process's exit code. */
export async function program(words: string[]): Promise<void> {
  // The reader of the output may go away.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  try {
    await run(words)
  } catch (error) {
    if (!(error instanceof Exit)) throw error
    process[error.stream].write(error.message)
    process.exitCode = error.code
  }
}

async function run(words: string[]): Promise<void> {
  const [first, ...others] = words
  if (first === '--version' || first === '-V') throw new Exit(0, `switchboard ${version()}\n`, 'stdout')
  if (first === 'help') throw help(others)
  if (first !== undefined && !first.startsWith('-')) {
    const load = COMMANDS[first]
    if (load === undefined) throw unknown(first)
    return (await load()).run(others)
  }
  const { run } = await import('./serve.js')
  await run(words, false)
}

function help([name, ...others]: string[]): Exit {
  const known = name === undefined || (name in COMMANDS && others.length === 0)
  return known ? new Exit(0, longHelp(name ?? ''), 'stdout') : unknown(name!)
}

function unknown(name: string): Exit {
  const [known] = similar(name, [...Object.keys(COMMANDS), 'help'])
  const tip = known === undefined ? undefined : `a similar subcommand exists: '${known}'`
  return usageError(`unrecognized subcommand '${name}'`, USAGES[''], tip)
}
