/** The error that fails a test at its end. */

/** Says all that is wrong. Its stack is that of what a handler threw, if one has. */
export function failure(problems: string[], thrown?: unknown): Error {
  const message = problems.join('\n')
  if (!(thrown instanceof Error)) return new Error(message)
  const error = new Error(message, { cause: thrown })
  const calls = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  error.stack = `Error: ${message}\n${calls.join('\n')}`
  return error
}
