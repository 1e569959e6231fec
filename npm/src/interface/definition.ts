/** Handlers whose types follow from what is written in them. */

import type { Awaitable } from './awaitable.js'
import type { UpgradeRequest } from './connection.js'
import type { AuthenticateResult, Callbacks, ResponseRule, RouteOptions, RouteSettings, TokenAuthentication } from './handler.js'
import type { ParamsOf } from './pattern.js'
import type { InputOf, OutputOf, StandardSchema } from './schema.js'

/** What {@link defineHandler} takes. */
export interface HandlerDefinition<
  Pattern extends string | undefined,
  Verdict extends boolean | AuthenticateResult,
  TokenData,
  MessageSchema extends StandardSchema<any, any> | undefined,
  SendsSchema extends StandardSchema<any, any> | undefined,
> extends RouteSettings,
    Callbacks<
      OutputOf<MessageSchema, any>,
      AuthDataOf<Verdict, TokenData>,
      ParamsOf<Pattern>,
      InputOf<SendsSchema, unknown>
    > {
  /** As of every handler. In a handler file it may be left out: then it follows from the file's path. */
  pattern?: Pattern
  /**
   * Who may come in. Default `false`: everyone. What it lets in with becomes the type of `authData`; for that it has to
   * stand above the functions that use it.
   */
  authenticate?:
    | boolean
    | string
    | TokenAuthentication<TokenData>
    | ((request: UpgradeRequest<ParamsOf<Pattern>>) => Awaitable<Verdict>)
  /** What messages have to be, as of every handler; it gives `onMessage` and `responses` their type. */
  message?: MessageSchema
  /** What the handler sends, for TypeScript: `send` and the broadcasts take what the schema takes. Nothing is validated. */
  sends?: SendsSchema
  /** Answers that are tried before `onMessage`; the first that matches is the only one. Default `[]`. */
  responses?: ResponseRule<
    OutputOf<MessageSchema, any>,
    AuthDataOf<Verdict, TokenData>,
    ParamsOf<Pattern>,
    InputOf<SendsSchema, unknown>
  >[]
}

/**
 * A handler as {@link defineHandler} returns it, to stand in `wsHandlers` or `routes`; without a pattern it is for a
 * handler file.
 */
export type DefinedHandler<Pattern> = Omit<RouteOptions, 'pattern'> & { pattern: Pattern }

/**
 * What `authData` is: of the results of an `authenticate` function those count that may let a client in, of tokens what
 * stands beside them.
 */
export type AuthDataOf<Verdict, TokenData = never> = [Verdict | TokenData] extends [never]
  ? undefined
  : DataOf<Verdict> | TokenData

type DataOf<Verdict> = Verdict extends false | { success: false }
  ? never
  : Verdict extends { data?: infer Data }
    ? Data
    : undefined
