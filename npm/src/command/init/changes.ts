/** What `init` writes, and what it says of it. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The changes of one run. */
export class Changes {
  /** The script that starts what was set up. */
  script = 'dev'
  /** Whether something was written. */
  isWritten = false
  readonly #folder: string
  readonly #lines: string[] = []

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Makes a file that is not there. */
  create(file: string, text: string): void {
    if (existsSync(join(this.#folder, file))) return
    this.#write(file, text)
    this.#lines.push(`created ${file}`)
  }

  /** Replaces what is in a file, if it differs. */
  update(file: string, text: string, what: string): void {
    if (readFileSync(join(this.#folder, file), 'utf8') === text) return
    this.#write(file, text)
    this.#lines.push(`changed ${file}: ${what}`)
  }

  /** Says what is left to the user. */
  say(text: string): void {
    this.#lines.push(text)
  }

  /** What was done, and what is left to do. */
  lines(): string[] {
    return this.#lines
  }

  #write(file: string, text: string): void {
    const path = join(this.#folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    this.isWritten = true
  }
}
