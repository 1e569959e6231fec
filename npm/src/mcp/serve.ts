/** The MCP server: tools over standard input and output, until the input ends. */

import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js'

import { requests, rootOf } from '../control/request.js'
import { Recent } from './recent.js'
import { call, tools } from './tools.js'

const INSTRUCTIONS =
  'Switchboard is a WebSocket backend for development and tests. These tools look at the one at URL and act on it through its control API. ' +
  'Begin with "routes" and "connections". "events" shows messages and what else happened; "send" and "broadcast" speak as the server; ' +
  '"addFaults" makes connections fail, and "removeFaults" takes that back.'

/** Serves what the control API at an address can do. The server need not run yet: calls say when it does not answer. */
export async function serve(url: string, token: string, version: string): Promise<void> {
  const root = rootOf(url)
  const recent = new Recent(url, token)
  const all = tools(requests(root, token), recent)
  const server = new Server(
    { name: 'vite-plugin-switchboard', version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS.replace('URL', root.origin) },
  )
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...all.values()].map(({ tool }) => tool) }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: given = {} } }) => {
    const working = all.get(name)
    if (!working) throw new McpError(ErrorCode.InvalidParams, `there is no tool "${name}"; there are ${[...all.keys()].join(', ')}`)
    // Before it acts, so that what follows is seen. Whether the server answers, the call itself tells.
    await recent.listen().catch(() => {})
    return call(working, given)
  })
  // The client is gone: nobody reads answers any more.
  process.stdin.once('end', () => process.exit())
  process.stdin.once('close', () => process.exit())
  recent.listen().catch(() => {})
  await server.connect(new StdioServerTransport())
}
