/** The tools of the MCP server: one for each operation of the control API, from the document of that API. */

import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'

import type { Ask } from '../control/request.js'
import { documented, type ObjectSchema, type Operation, operations, standalone } from './document.js'
import type { Recent, RecentQuery } from './recent.js'

type Arguments = Record<string, unknown>

/** The operation that opens a WebSocket; its tool asks for what was kept of it. */
const EVENTS = 'events'

/** How much of a file is given, in characters. */
const LONGEST_FILE = 100_000

/** What a tool answers whose operation gives a file. */
const FILE: ObjectSchema = {
  type: 'object',
  properties: {
    text: { type: 'string', description: 'The file, or its beginning.' },
    isCut: { type: 'boolean', description: `Whether only the first ${LONGEST_FILE} characters are given.` },
  },
  required: ['text', 'isCut'],
}

/** A tool, and what it does. */
export interface WorkingTool {
  tool: Tool
  run(given: Arguments): Promise<object>
}

/** All tools by their names, which are those of the operations. */
export function tools(ask: Ask, recent: Recent): Map<string, WorkingTool> {
  const all = operations().map((operation) => (operation.name === EVENTS ? eventsTool(recent) : toolOf(operation, ask)))
  return new Map(all.map((working) => [working.tool.name, working]))
}

/** Runs a tool. What goes wrong is a result too, for the model to read. */
export async function call(working: WorkingTool, given: Arguments): Promise<CallToolResult> {
  try {
    checkNames(working.tool, given)
    const answer = await working.run(given)
    return { content: [{ type: 'text', text: JSON.stringify(answer) }], structuredContent: { ...answer } }
  } catch (error) {
    return { content: [{ type: 'text', text: error instanceof Error ? error.message : String(error) }], isError: true }
  }
}

function toolOf(operation: Operation, ask: Ask): WorkingTool {
  const { name, summary, method, parameters, body, answer } = operation
  const isRead = method === 'GET'
  return {
    tool: {
      name,
      description: summary,
      inputSchema: inputOf(operation),
      outputSchema: answer === undefined ? FILE : standalone(documented(answer)),
      annotations: { readOnlyHint: isRead, openWorldHint: false },
    },
    async run(given) {
      const rest = { ...given }
      const query: Arguments = {}
      let { path } = operation
      for (const parameter of parameters) {
        const value = rest[parameter.name]
        delete rest[parameter.name]
        if (parameter.in === 'query') query[parameter.name] = value
        else path = path.replace(`{${parameter.name}}`, encodeURIComponent(String(value)))
      }
      const told = await ask<object | string>(path, query, body === undefined ? undefined : rest, method)
      return typeof told === 'string' ? { text: told.slice(0, LONGEST_FILE), isCut: told.length > LONGEST_FILE } : told
    },
  }
}

/** Parameters and the members of the body are one object. */
function inputOf({ parameters, body }: Operation): ObjectSchema {
  const ofBody: Partial<ObjectSchema> = body === undefined ? {} : documented(body)
  const properties: Record<string, object> = {}
  for (const { name, description, schema } of parameters) properties[name] = { ...schema, description }
  return standalone({
    type: 'object',
    ...(ofBody.description === undefined ? {} : { description: ofBody.description }),
    properties: { ...properties, ...ofBody.properties },
    required: [...parameters.filter(({ required }) => required).map(({ name }) => name), ...(ofBody.required ?? [])],
    additionalProperties: false,
  })
}

function eventsTool(recent: Recent): WorkingTool {
  const inputSchema = standalone({
    type: 'object',
    properties: {
      kinds: { type: 'array', items: { $ref: '#/components/schemas/ControlEventKind' }, description: 'The kinds of events. Default: all.' },
      route: { type: 'string', description: 'Only events of this route, as `routes` names it. Default: of all.' },
      connection: { type: 'string', description: 'Only events of the connection with this id. Default: of all.' },
      direction: { $ref: '#/components/schemas/ControlMessageDirection', description: 'Only messages that go this way, as the server sees it.' },
      contains: { type: 'string', description: 'Only events whose text, error or reason contains this.' },
      after: { type: 'integer', minimum: 0, description: 'Only events behind an earlier answer: its `next`. Default: the latest.' },
      limit: { type: 'integer', minimum: 1, maximum: 1000, description: 'How many at most. Default 50.' },
      wait: { type: 'integer', minimum: 0, maximum: 30_000, description: 'How long to wait for one if there is none yet, in ms. Default 0.' },
    },
    required: [],
    additionalProperties: false,
  })
  const outputSchema = standalone({
    type: 'object',
    properties: {
      events: { type: 'array', items: { $ref: '#/components/schemas/ControlEvent' }, description: 'The events, the oldest first.' },
      next: { type: 'integer', description: 'Give it as `after` to see what comes later.' },
      forgotten: { type: 'integer', description: 'How many older events made room for others.' },
      since: { type: ['integer', 'null'], description: 'Since when events are kept without a gap, in ms since 1970; null while the server is gone.' },
    },
    required: ['events', 'next', 'forgotten', 'since'],
  })
  const validate = new AjvJsonSchemaValidator().getValidator<RecentQuery>(inputSchema)
  return {
    tool: {
      name: EVENTS,
      description:
        'Events of the server that were kept since this program listens: messages in both directions with the beginning of their text, connections that opened, were refused or closed, rooms joined and left, errors of handlers, and the log.',
      inputSchema,
      outputSchema,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async run(given) {
      const { valid, data, errorMessage } = validate(given)
      if (!valid) throw new Error(`the arguments of "${EVENTS}": ${errorMessage.replace(/\bdata\//g, '')}`)
      // What is known of a server that is gone may tell why.
      const failure = await recent.listen().then(() => undefined, (error: unknown) => error)
      const found = await recent.find(failure === undefined ? data : { ...data, wait: 0 })
      if (failure !== undefined && found.events.length === 0) throw failure
      return found
    },
  }
}

/** The server checks values; a name that it never gets has to be checked here. */
function checkNames({ name, inputSchema: { properties = {}, required = [] } }: Tool, given: Arguments): void {
  const known = Object.keys(properties)
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined) {
    throw new Error(`"${name}" takes no "${unknown}"; ${known.length === 0 ? 'it takes nothing' : `it takes ${known.join(', ')}`}`)
  }
  const missing = required.find((key) => given[key] === undefined)
  if (missing !== undefined) throw new Error(`"${name}" needs "${missing}"`)
}
