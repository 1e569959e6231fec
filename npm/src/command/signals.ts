/** Ctrl-C and SIGTERM. */

import type { CommandLogger } from './log.js'

const CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** Resolves with the first signal; the second one ends the process at once. */
export function ending(logger: CommandLogger): Promise<void> {
  return new Promise((resolve) => {
    let isEnding = false
    for (const [signal, code] of Object.entries(CODES)) {
      process.on(signal, () => {
        if (isEnding) process.exit(code)
        isEnding = true
        logger.info('closing all connections; once more to stop at once')
        resolve()
      })
    }
  })
}
