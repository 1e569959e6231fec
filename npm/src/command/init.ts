/** `switchboard init`: adds Switchboard to a Vite project, or to a folder without Vite. */

import { resolve } from 'node:path'

import { type Command } from './arguments.js'
import { Exit } from './exit.js'
import { Changes } from './init/changes.js'
import { inspect, type Project } from './init/project.js'
import { inPlain } from './init/plain.js'
import { inVite } from './init/vite.js'

const HELP = `Add Switchboard to a Vite project, or start one without Vite

In a Vite project: the plugin in vite.config, a handler file, a test where there is Vitest, and the package in package.json.
Elsewhere: a switchboard.toml, and a script that serves it. What is there already stays as it is.

Usage: switchboard init [FOLDER]

Arguments:
  [FOLDER]  The project [default: the working directory]

Options:
  -h, --help  Print help
`

/** Its words, for messages. */
export const INIT: Command = { name: 'init', options: [], positionals: ['FOLDER'] }

/** Runs it. */
export function run(words: string[]): void {
  if (words.includes('--help') || words.includes('-h')) throw new Exit(0, HELP, 'stdout')
  const [folder = '.', ...others] = words
  const wrong = words.find((word) => word.startsWith('-')) ?? others[0]
  if (wrong !== undefined) throw new Exit(2, `error: unexpected argument '${wrong}' found\n\n${HELP}`)
  const project = inspect(resolve(folder))
  const changes = new Changes(project.folder)
  if (project.hasVite) inVite(project, changes)
  else inPlain(project, changes)
  process.stdout.write(report(project, changes))
}

function report({ manager }: Project, changes: Changes): string {
  const lines = changes.lines()
  if (lines.length === 0) return 'Nothing to do: Switchboard is there already.\n'
  const next = changes.isWritten ? `\nNow: ${manager} install, then ${manager} run ${changes.script}\n` : ''
  return `${lines.join('\n')}\n${next}`
}
