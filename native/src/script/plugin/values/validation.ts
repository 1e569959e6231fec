/** Messages that do not fit their schema. */

import type { SchemaIssue, StandardSchema } from '../interface/schema.js'
import { shapeOf } from './arguments.js'
import { isThenable } from './payload.js'

/** How many issues the text of the error names; `issues` has all. */
const NAMED = 3

/** A message does not fit the schema `message` of its handler. */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError'
  /** What is wrong with it, as the schema's library says it. */
  readonly issues: readonly SchemaIssue[]

  constructor(issues: readonly SchemaIssue[]) {
    super(`the message does not fit: ${issues.slice(0, NAMED).map(describe).join('; ')}${issues.length > NAMED ? '; …' : ''}`)
    this.issues = issues
    // It is about what a client sent; where that was found out tells nothing.
    this.stack = `${this.name}: ${this.message}`
  }
}

/** What the schema makes of a message. Throws or rejects with an `InvalidMessageError` if it does not fit. */
export function validated(schema: StandardSchema, message: unknown): unknown {
  const result = schema['~standard'].validate(message)
  return isThenable(result) ? Promise.resolve(result).then(valueOf) : valueOf(result)
}

/** Throws what is wrong with something that should be a schema. */
export function checkSchema(value: unknown, what: string): StandardSchema | undefined {
  if (value === undefined || value === null) return undefined
  const standard: unknown = (value as Partial<StandardSchema>)['~standard']
  if (typeof (standard as StandardSchema['~standard'] | undefined)?.validate === 'function') return value as StandardSchema
  throw new Error(`${what}: expected a Standard Schema, as zod, valibot and ArkType make them, got ${shapeOf(value)}`)
}

function valueOf(result: Awaited<ReturnType<StandardSchema['~standard']['validate']>>): unknown {
  if (result.issues !== undefined) throw new InvalidMessageError(result.issues)
  return result.value
}

function describe({ message, path }: SchemaIssue): string {
  if (path === undefined || path.length === 0) return message
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part))
  return `${keys.join('.')}: ${message}`
}
