/** Errors of user code, which may be any value. */

/** The text of what was thrown. */
export function errorText(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown)
  } catch {
    return 'something that has no text was thrown'
  }
}
