/** `switchboard mcp`: the control API of a running server for coding agents. */

import { parseArgs } from 'node:util'

import { VARIABLE } from '../control/access.js'
import { Exit } from './exit.js'
import { version } from './version.js'

const SDK = '@modelcontextprotocol/sdk'

/** Where Vite's development server is by default. */
const DEFAULT_URL = 'http://localhost:5173'

const HELP = `Serve the control API of a running Switchboard to coding agents, as an MCP server over standard input and output

Usage: switchboard mcp [OPTIONS] [URL]

Arguments:
  [URL]  The address of that server [default: ${DEFAULT_URL}]

Options:
      --token <TOKEN>  The token of its control API [default: the variable ${VARIABLE}]
  -h, --help           Print help
`

/** Runs it. */
export async function run(words: string[]): Promise<void> {
  const { values, positionals } = parsed(words)
  const [url = DEFAULT_URL, ...others] = positionals
  if (values.help) throw new Exit(0, HELP, 'stdout')
  if (others.length > 0) throw wrong(`"mcp" takes one URL, and "${others[0]}" is one more argument.\n\n${HELP}`)
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw wrong(`"${url}" is not the address of a server; write it like ${DEFAULT_URL}`)
  }
  const token = values.token ?? process.env[VARIABLE]
  if (!token) {
    throw wrong(`The control API asks for a token: set ${VARIABLE} here and for the server, or give --token TOKEN.`)
  }
  const { serve } = await import('../mcp/serve.js').catch((error: unknown) => {
    if (!isMissing(error)) throw error
    throw wrong(`The MCP server needs the package ${SDK}: npm install --save-dev ${SDK}`)
  })
  await serve(url, token, version())
}

function parsed(words: string[]) {
  try {
    return parseArgs({
      args: words,
      allowPositionals: true,
      options: { token: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    throw wrong(`${(error as Error).message}\n\n${HELP}`)
  }
}

function wrong(message: string): Exit {
  return new Exit(1, `${message}\n`)
}

function isMissing(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${SDK}'`)
}
