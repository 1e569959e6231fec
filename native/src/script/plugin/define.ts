/** Handlers with types of their own. */

import type { DefinedHandler, HandlerDefinition } from './interface/definition.js'
import type { AuthenticateResult } from './interface/handler.js'
import type { StandardSchema } from './interface/schema.js'
import { shapeOf } from './values/arguments.js'

/**
 * Gives the handler back as it is. It is for TypeScript, which then knows
 *
 * - `req.params` from the pattern's text: `'/chat/{room}'` has `{ room: string }`,
 * - `conn.authData` from what `authenticate` lets clients in with,
 * - messages from the schema `message`, which they are validated by,
 * - what may be sent from the schema `sends`.
 *
 * In a handler file the pattern may be left out: then it follows from the file's path. Throws a `TypeError` for what is no
 * object.
 */
export function defineHandler<
  const Pattern extends string | undefined = undefined,
  Verdict extends boolean | AuthenticateResult = never,
  TokenData = never,
  MessageSchema extends StandardSchema<any, any> | undefined = undefined,
  SendsSchema extends StandardSchema<any, any> | undefined = undefined,
>(handler: HandlerDefinition<Pattern, Verdict, TokenData, MessageSchema, SendsSchema>): DefinedHandler<Pattern> {
  if (typeof handler !== 'object' || handler === null || Array.isArray(handler)) {
    const got = shapeOf(handler)
    throw new TypeError(`defineHandler: expected a handler such as { pattern: '/chat', onMessage: … }, got ${got}`)
  }
  return handler as unknown as DefinedHandler<Pattern>
}
