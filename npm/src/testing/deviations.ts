/** Messages that broke a contract, or were not what a recording or scenario expects. */

import type { Switchboard } from '../interface/switchboard.js'
import { count, list } from './description.js'

/** Counts them by route, from one reset to the next. */
export class Deviations {
  readonly #switchboard: Switchboard
  readonly #log: readonly string[]
  /** How many there had been before. */
  #violations: Record<string, number> = {}
  #mismatches: Record<string, number> = {}

  /** `log` is where the Switchboard says what was wrong with each. */
  constructor(switchboard: Switchboard, log: readonly string[]) {
    this.#switchboard = switchboard
    this.#log = log
  }

  /** Those until now no longer count. */
  reset(): void {
    const { contractViolations, mismatches } = this.#switchboard.stats()
    this.#violations = contractViolations
    this.#mismatches = mismatches
  }

  /** How many messages broke the contract of each route, and what the log says of them. */
  violated(): string[] {
    const said = this.#said('contract')
    return since(this.#switchboard.stats().contractViolations, this.#violations).map(
      ([pattern, broke]) => `${count(broke, 'message', 'messages')} broke the contract of ${pattern}:\n${said}`,
    )
  }

  /** How many messages were not what each route expects, and what the log says of them. */
  mismatched(): string[] {
    const said = this.#said(' came from the client, where ')
    return since(this.#switchboard.stats().mismatches, this.#mismatches).map(
      ([pattern, differed]) => `${count(differed, 'message', 'messages')} did not match on ${pattern}:\n${said}`,
    )
  }

  #said(what: string): string {
    return list(this.#log.filter((line) => line.includes(what)).map((line) => line.replace(/^.*?\[switchboard\]\S* /, '')))
  }
}

/** What has been added to each count. */
function since(now: Record<string, number>, before: Record<string, number>): [pattern: string, added: number][] {
  const added = Object.entries(now).map(([pattern, total]): [string, number] => [pattern, total - (before[pattern] ?? 0)])
  return added.filter(([, added]) => added > 0)
}
