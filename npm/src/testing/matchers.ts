/** Matchers for the `expect` of Vitest, Jest and Playwright. */

import type { Closure, TestConnection, WaitOptions } from '../interface/testing.js'
import { shapeOf } from '../values/arguments.js'
import { duration, type Duration } from '../values/duration.js'
import { count, show } from './description.js'
import { type Equals, equals, matches } from './equality.js'
import { type Message, SUBJECT, type Subject, take } from './message.js'

/**
 * What a server of {@link serve}, or a connection of it, can be expected to do. All are awaited, and give up after the
 * server's `timeout`; asymmetric matchers may stand in what is expected. With `.not` before them `toReceive` waits for all of
 * that time, `toHaveReceived` and `toHaveReceivedInOrder` look once.
 */
export interface SwitchboardMatchers<R = Promise<void>> {
  /**
   * A message comes, or came and was not read yet, that is equal to this; or any message. It is read by that, and those
   * before it stay unread. Text may also be expected as it was sent, and bytes as a `Uint8Array`.
   */
  toReceive(expected?: unknown, options?: WaitOptions): R
  /** A message that is equal to this was received, read or not, or comes in time. */
  toHaveReceived(expected: unknown, options?: WaitOptions): R
  /** These messages were received in this order, read or not, perhaps with others between, or come in time. */
  toHaveReceivedInOrder(expected: unknown[], options?: WaitOptions): R
  /** No message comes within this span of real time. Those that came before do not count. */
  toReceiveNothingFor(time: Duration): R
  /** A connection is closed with this code, and this reason if one is given; 1006: without a close frame. */
  toBeClosedWith(code: number, reason?: string, options?: WaitOptions): R
  /** A server has so many open connections, or will have in time. */
  toHaveConnections(count: number, options?: WaitOptions): R
}

/** What test runners give to matchers. */
export interface State {
  isNot?: boolean
  equals?: (actual: unknown, expected: unknown, testers?: any) => boolean
  customTesters?: unknown[]
}

/** What a matcher says. */
export interface Outcome {
  pass: boolean
  message(): string
}

/** For `expect.extend(matchers)`. */
export const matchers = {
  async toReceive(this: State | void, actual: unknown, ...[expected, options]: [unknown?, WaitOptions?]): Promise<Outcome> {
    const subject = subjectOf(actual, 'toReceive')
    const limit = limitOf(subject, options)
    const same = sameOf(this)
    // Without an argument any message will do; `undefined` is none.
    const any = expected === undefined
    const found = await subject.within(() => take(subject.messages, expected, any, same), limit)
    const what = any ? 'message' : 'message that matches'
    return outcome(this, subject, `toReceive(${any ? '' : show(expected)})`, found !== undefined, [
      `No unread ${what} was there or came within ${limit} ms.`,
      `This ${what} came: ${show(found?.value)}`,
    ])
  },

  async toHaveReceived(this: State | void, actual: unknown, expected: unknown, options?: WaitOptions): Promise<Outcome> {
    const subject = subjectOf(actual, 'toHaveReceived')
    const limit = this?.isNot ? 0 : limitOf(subject, options)
    const same = sameOf(this)
    const look = (): Message | undefined => subject.messages.find((message) => matches(message, expected, same))
    const found = await subject.within(look, limit)
    if (found) found.isRead = true
    return outcome(this, subject, `toHaveReceived(${show(expected)})`, found !== undefined, [
      `No message matches, and none came within ${limit} ms.`,
      `This message was received: ${show(found?.value)}`,
    ])
  },

  async toHaveReceivedInOrder(this: State | void, actual: unknown, expected: unknown[], options?: WaitOptions): Promise<Outcome> {
    const subject = subjectOf(actual, 'toHaveReceivedInOrder')
    if (!Array.isArray(expected)) throw new TypeError(`toHaveReceivedInOrder: expected a list of messages, got ${shapeOf(expected)}`)
    const limit = this?.isNot ? 0 : limitOf(subject, options)
    const same = sameOf(this)
    let found: Message[] = []
    const look = (): true | undefined => {
      found = inOrder(subject.messages, expected, same)
      return found.length === expected.length || undefined
    }
    const pass = (await subject.within(look, limit)) !== undefined
    for (const message of pass ? found : []) message.isRead = true
    return outcome(this, subject, `toHaveReceivedInOrder(${show(expected)})`, pass, [
      `Of ${count(expected.length, 'message')} the first ${found.length} came in this order within ${limit} ms; this one did not: ${show(expected[found.length])}`,
      'They came in this order.',
    ])
  },

  async toReceiveNothingFor(this: State | void, actual: unknown, time: Duration): Promise<Outcome> {
    const subject = subjectOf(actual, 'toReceiveNothingFor')
    const ms = duration(time, 'toReceiveNothingFor')
    const before = subject.messages.length
    const came = await subject.within(() => subject.messages[before], ms)
    return outcome(this, subject, `toReceiveNothingFor(${show(time)})`, came === undefined, [`A message came: ${show(came?.value)}`, `No message came within ${ms} ms.`])
  },

  async toBeClosedWith(this: State | void, actual: unknown, code: number, reason?: string, options?: WaitOptions): Promise<Outcome> {
    const subject = subjectOf(actual, 'toBeClosedWith')
    if (subject.name !== 'connection') throw new TypeError('toBeClosedWith: expected a connection, such as await server.connection(), got a server')
    const limit = limitOf(subject, options)
    const closure = await subject.within<Closure>(() => (actual as TestConnection).closure, limit)
    const same = sameOf(this)
    const pass = closure !== undefined && same(closure.code, code) && (reason === undefined || same(closure.reason, reason))
    return outcome(this, subject, `toBeClosedWith(${show(code)}${reason === undefined ? '' : `, ${show(reason)}`})`, pass, [
      closure === undefined ? `It was not closed within ${limit} ms.` : `It was closed with ${closureText(closure)}.`,
      `It was closed with ${closure && closureText(closure)}.`,
    ])
  },

  async toHaveConnections(this: State | void, actual: unknown, expected: number, options?: WaitOptions): Promise<Outcome> {
    const subject = subjectOf(actual, 'toHaveConnections')
    if (!('open' in subject)) throw new TypeError('toHaveConnections: expected a server of serve(), got a connection')
    const { open } = subject as Subject & { open(): number }
    const limit = limitOf(subject, options)
    const same = sameOf(this)
    const wanted = !this?.isNot
    await subject.within(() => same(open(), expected) === wanted || undefined, limit)
    return outcome(this, subject, `toHaveConnections(${show(expected)})`, same(open(), expected), [
      `${count(open(), 'connection is', 'connections are')} open after ${limit} ms.`,
      `${count(open(), 'connection is', 'connections are')} open after ${limit} ms.`,
    ])
  },
}

function subjectOf(actual: unknown, matcher: string): Subject {
  const subject = (actual as { [SUBJECT]?: Subject } | null | undefined)?.[SUBJECT]
  if (subject) return subject
  throw new TypeError(`${matcher}: expected a server of serve(), or a connection of it such as await server.connection(), got ${shapeOf(actual)}`)
}

function limitOf({ timeout: usual }: Subject, { timeout = usual }: WaitOptions = {}): number {
  return timeout
}

/** As the test runner compares, where it says how: then its own testers count too. Playwright has a function that throws. */
function sameOf(state: State | void): Equals {
  try {
    const same = state!.equals!
    const testers = state!.customTesters ?? []
    same(0, 0, [...testers])
    return (actual, expected) => same(actual, expected, [...testers])
  } catch {
    return equals
  }
}

/** The first messages of `expected`, each after the one before. */
function inOrder(messages: Message[], expected: unknown[], same: Equals): Message[] {
  const found: Message[] = []
  for (const message of messages) {
    if (found.length < expected.length && matches(message, expected[found.length], same)) found.push(message)
  }
  return found
}

function outcome(state: State | void, subject: Subject, call: string, pass: boolean, [otherwise, although]: [string, string]): Outcome {
  // What was received until now, not until somebody reads the message.
  const described = subject.describe()
  return { pass, message: () => `expect(${subject.name})${state?.isNot ? '.not' : ''}.${call}\n\n${pass ? although : otherwise}\n${described}` }
}

function closureText({ code, reason, by }: Closure): string {
  return `${code}${reason && ` ${reason}`}${by === undefined ? '' : ` by the ${by}`}`
}
