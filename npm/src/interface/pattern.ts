/** The parameters of a pattern, from its text. */

/**
 * `{ room: string }` for `'/chat/{room}'`, and `{}` for a pattern without parameters. Without a text that TypeScript knows
 * there may be any parameters.
 */
export type ParamsOf<Pattern> = Pattern extends string
  ? string extends Pattern
    ? Record<string, string>
    : { [Name in NamesIn<Pattern>]: string }
  : Record<string, string>

/** The names of all `{name}` and `{name:regex}`. */
type NamesIn<Text extends string> = Text extends `${string}{${infer Inner}` ? NamesAt<Inner> : never

/** The names in a text that begins behind an opening brace. */
type NamesAt<Text extends string> = Text extends `${infer Head}}${infer Rest}`
  ? Head extends `${infer Name}:${string}`
    ? Name | (Text extends `${Name}:${infer Regex}` ? NamesIn<BehindRegex<Regex>> : never)
    : Head | NamesIn<Rest>
  : never

/**
 * What stands behind the brace that closes a regular expression. Braces in it may nest; those that are escaped or in a
 * character class do not count.
 */
type BehindRegex<Text extends string, Open extends unknown[] = [], InClass = false> =
  Text extends `\\${infer _Escaped}${infer Rest}`
    ? BehindRegex<Rest, Open, InClass>
    : Text extends `[${infer Rest}`
      ? BehindRegex<Rest, Open, true>
      : Text extends `]${infer Rest}`
        ? BehindRegex<Rest, Open>
        : InClass extends true
          ? BehindAny<Text, Open, true>
          : Text extends `{${infer Rest}`
            ? BehindRegex<Rest, [...Open, unknown]>
            : Text extends `}${infer Rest}`
              ? Open extends [unknown, ...infer Outer]
                ? BehindRegex<Rest, Outer>
                : Rest
              : BehindAny<Text, Open, false>

type BehindAny<Text extends string, Open extends unknown[], InClass> = Text extends `${infer _Character}${infer Rest}`
  ? BehindRegex<Rest, Open, InClass>
  : ''
