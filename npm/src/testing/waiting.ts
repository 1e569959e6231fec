/** Waits for what a test expects, never for ever. */

import { clearTimeout, setTimeout } from '../engine/time.js'

/** Tells those who wait that something has changed. */
export class Changes {
  readonly #waiting = new Set<() => void>()

  /** Something has changed. */
  tell(): void {
    for (const look of [...this.#waiting]) look()
  }

  /**
   * Resolves with what `look` gives as soon as that is not `undefined`. After `limit` ms of real time it rejects with what
   * `late` says, with a stack that begins where `caller` was called.
   */
  async until<T>(look: () => T | undefined, limit: number, late: () => string, caller?: Function): Promise<T> {
    // Made now: when time is up, nobody knows any more who called.
    const error = new Error()
    if (caller) Error.captureStackTrace(error, caller)
    const found = await this.within(look, limit)
    if (found !== undefined) return found
    const { stack = '' } = error
    error.message = late()
    error.stack = `Error: ${error.message}\n${stack.split('\n').slice(1).join('\n')}`
    throw error
  }

  /** The same, but for `undefined` when time is up. */
  within<T>(look: () => T | undefined, limit: number): Promise<T | undefined> {
    const found = look()
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        this.#waiting.delete(again)
        settle()
      }
      const again = (): void => {
        try {
          const found = look()
          if (found !== undefined) end(() => resolve(found))
        } catch (error) {
          end(() => reject(error as Error))
        }
      }
      const timer = setTimeout(() => end(() => resolve(undefined)), limit)
      this.#waiting.add(again)
    })
  }
}
