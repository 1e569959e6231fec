/** The version of the package. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FILE = join(dirname(fileURLToPath(import.meta.url)), '../../package.json')

/** The version of the package. */
export function version(): string {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { version: string }).version
}
