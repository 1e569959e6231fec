#!/usr/bin/env node
/** The program `vite-plugin-switchboard`. */

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { VARIABLE } from './control/access.js'

const SDK = '@modelcontextprotocol/sdk'

/** Where Vite's development server is by default. */
const DEFAULT_URL = 'http://localhost:5173'

const HELP = `Usage: vite-plugin-switchboard mcp [URL] [--token TOKEN]

  mcp        serves the control API of a running Switchboard to coding agents, as an
             MCP server over standard input and output
  URL        the address of that server (default: ${DEFAULT_URL})
  --token    the token of its control API (default: the variable ${VARIABLE})

The development server itself is Vite with the plugin: npx vite
`

/** Why the program ends at once. */
class Failure extends Error {}

try {
  await run(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(error.message)
  process.exitCode = 1
}

async function run(given: string[]): Promise<void> {
  const { values, positionals } = parsed(given)
  const [command, url = DEFAULT_URL, ...others] = positionals
  if (values.help) return void process.stdout.write(HELP)
  if (command !== 'mcp') throw new Failure(`${command === undefined ? 'There is no command.' : `There is no command "${command}".`}\n\n${HELP}`)
  if (others.length > 0) throw new Failure(`"mcp" takes one URL, and "${others[0]}" is one more argument.\n\n${HELP}`)
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw new Failure(`"${url}" is not the address of a server; write it like ${DEFAULT_URL}`)
  }
  const token = values.token ?? process.env[VARIABLE]
  if (!token) {
    throw new Failure(`The control API asks for a token: set ${VARIABLE} here and for the server, or give --token TOKEN.`)
  }
  const { serve } = await import('./mcp/serve.js').catch((error: unknown) => {
    if (!isMissing(error)) throw error
    throw new Failure(`The MCP server needs the package ${SDK}: npm install --save-dev ${SDK}`)
  })
  await serve(url, token, version())
}

function parsed(given: string[]) {
  try {
    return parseArgs({
      args: given,
      allowPositionals: true,
      options: { token: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    throw new Failure(`${(error as Error).message}\n\n${HELP}`)
  }
}

function isMissing(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${SDK}'`)
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
