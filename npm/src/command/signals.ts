/** Ctrl-C and SIGTERM. */

import type { CommandLogger } from './log.js'

const CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** Signals within so many ms of the first count as the first: npm passes on a Ctrl-C that the terminal has sent already. */
const SAME = 500

/** Resolves with the first signal; the second one ends the process at once. */
export function ending(logger: CommandLogger): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined
    for (const [signal, code] of Object.entries(CODES)) {
      process.on(signal, () => {
        if (first === undefined) {
          first = performance.now()
          logger.info('closing all connections; once more to stop at once')
          resolve()
        } else if (performance.now() - first >= SAME) process.exit(code)
      })
    }
  })
}
