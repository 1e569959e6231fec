/** What the MCP server takes from `openapi.json`: the operations of the control API, and their schemas. */

import { readFileSync } from 'node:fs'

/** A JSON Schema. */
export type Schema = { [key: string]: unknown }

/** A schema of an object, as tools have them. */
export interface ObjectSchema extends Schema {
  type: 'object'
  properties: Record<string, object>
  required: string[]
}

/** One operation of the control API. */
export interface Operation {
  /** Its `operationId`. */
  name: string
  /** What it does, in a sentence. */
  summary: string
  /** The HTTP method, in capitals. */
  method: string
  /** Its path below the root, such as `/feeds/{name}`. */
  path: string
  parameters: Parameter[]
  /** The name of the schema of its body, if it takes one. */
  body: string | undefined
  /** The name of the schema of its answer; none for a file, and for the WebSocket of live events. */
  answer: string | undefined
}

/** A part of the path or of the query. */
export interface Parameter {
  name: string
  in: 'path' | 'query'
  required?: boolean
  description?: string
  schema: Schema
}

interface Document {
  paths: Record<string, Record<string, DocumentedOperation>>
  components: { schemas: Record<string, Schema> }
}

interface DocumentedOperation {
  operationId: string
  summary: string
  parameters?: Parameter[]
  requestBody?: Content
  responses: Record<string, Content>
}

interface Content {
  content?: { 'application/json'?: { schema: { $ref: string } } }
}

const COMPONENTS = '#/components/schemas/'

const { paths, components }: Document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'))

/** All operations, in the order of the document. */
export function operations(): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, summary, parameters, requestBody, responses }]) => ({
      name: operationId,
      summary,
      method: method.toUpperCase(),
      path: path === '/' ? '' : path,
      parameters: parameters ?? [],
      body: schemaName(requestBody),
      answer: schemaName(responses['200']),
    })),
  )
}

/** A schema of the document by its name, as it is written there. */
export function documented(name: string): ObjectSchema {
  const schema = components.schemas[name]
  if (!schema) throw new Error(`openapi.json has no schema "${name}"`)
  return { required: [], properties: {}, ...schema, type: 'object' }
}

/** A schema that stands alone: the schemas that it refers to are in its `$defs`. */
export function standalone(schema: ObjectSchema): ObjectSchema {
  const definitions: Record<string, unknown> = {}
  function rewritten(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(rewritten)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).filter(([key, inner]) => !isFormatOfNumbers(key, inner))
    return Object.fromEntries(entries.map(([key, inner]) => [key, key === '$ref' ? referred(inner as string) : rewritten(inner)]))
  }
  function referred(reference: string): string {
    const name = reference.slice(COMPONENTS.length)
    if (!(name in definitions)) {
      // Before its content, as a schema may refer to itself.
      definitions[name] = {}
      definitions[name] = rewritten(components.schemas[name])
    }
    return `#/$defs/${name}`
  }
  const result = rewritten(schema) as ObjectSchema
  return Object.keys(definitions).length === 0 ? result : { ...result, $defs: definitions }
}

/** Kinds of numbers, which are no formats of JSON Schema: validators of some clients reject them. */
function isFormatOfNumbers(key: string, value: unknown): boolean {
  return key === 'format' && typeof value === 'string' && /^(u?int\d*|float|double)$/.test(value)
}

function schemaName(content: Content | undefined): string | undefined {
  return content?.content?.['application/json']?.schema.$ref.slice(COMPONENTS.length)
}
