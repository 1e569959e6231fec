/** How a command ends before it has begun, or because something failed. */
export class Exit extends Error {
  readonly code: number
  readonly stream: 'stdout' | 'stderr'

  /** `text` is printed as it is. */
  constructor(code: number, text: string, stream: 'stdout' | 'stderr' = 'stderr') {
    super(text)
    this.code = code
    this.stream = stream
  }
}

/** What the user wrote is wrong: exit code 2. */
export function mistake(what: string, message: string): Exit {
  return new Exit(2, `error: ${what}: ${message}\n`)
}

/** Something failed: exit code 1. */
export function failure(message: string): Exit {
  return new Exit(1, `error: ${message}\n`)
}
