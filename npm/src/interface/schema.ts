/** Schemas of messages, of whatever library. */

/**
 * What zod, valibot, ArkType and others have in common: version 1 of the
 * [Standard Schema](https://standardschema.dev) specification.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    /** The library. */
    readonly vendor: string
    /** The value as the schema has it, or what is wrong with it. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** For TypeScript alone. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What validation came to: with `issues` the value does not fit. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  /** What is wrong, in the words of the schema's library. */
  readonly message: string
  /** Where in the value. Default: the whole of it. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a schema takes; `Otherwise` where there is no schema. */
export type InputOf<Schema, Otherwise> = Schema extends StandardSchema<any, any>
  ? NonNullable<Schema['~standard']['types']>['input']
  : Otherwise

/** What a schema gives; `Otherwise` where there is no schema. */
export type OutputOf<Schema, Otherwise> = Schema extends StandardSchema<any, any>
  ? NonNullable<Schema['~standard']['types']>['output']
  : Otherwise
