/** Messages that a server for tests was sent. */

import type { TestConnection } from '../interface/testing.js'
import { type Equals, matches, type Said } from './equality.js'

/** A message of a client, and whether a test has looked at it. */
export interface Message extends Said {
  readonly from: TestConnection
  isRead: boolean
}

/** Takes the oldest message that was not read yet and matches. */
export function take(messages: Message[], expected: unknown, any: boolean, same?: Equals): Message | undefined {
  const found = messages.find((message) => !message.isRead && (any || matches(message, expected, same)))
  if (found) found.isRead = true
  return found
}

/** Under this name matchers find what they need of a server or of its connections. */
export const SUBJECT = Symbol.for('switchboard.testing.subject')

/** What matchers need. */
export interface Subject {
  /** What it is called in messages. */
  readonly name: string
  /** The limit for waiting, in ms. */
  readonly timeout: number
  readonly messages: Message[]
  /** Looks again whenever something has changed. */
  within<T>(look: () => T | undefined, limit: number): Promise<T | undefined>
  /** What was received, and who is connected. */
  describe(): string
}
