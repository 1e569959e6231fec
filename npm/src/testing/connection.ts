/** One client under test. */

import type { IncomingMessage } from 'node:http'

import type { Socket } from '../connection/socket.js'
import type { WebSocketConnection } from '../interface/connection.js'
import type { ConnectionFaults } from '../interface/faults.js'
import type { Closure, Expected, TestConnection, WaitOptions } from '../interface/testing.js'
import { Decoder } from './decoder.js'
import { connectionLine, count, list, show } from './description.js'
import type { Said } from './equality.js'
import { type Message, SUBJECT, type Subject, take } from './message.js'
import type { Changes } from './waiting.js'

/** What a connection needs of its server. */
interface Owner {
  readonly changes: Changes
  readonly timeout: number
  /** A message came. It is told when the engine has handled what came with it. */
  heard(message: Message): void
}

const ABNORMAL = 1006

export class ObservedConnection implements TestConnection {
  readonly #owner: Owner
  readonly #socket: Socket
  readonly #fromClient: Decoder
  readonly #fromServer: Decoder
  readonly messages: Message[] = []
  readonly sent: unknown[] = []
  /** The close frames of both directions, each with the place of what it came in. */
  readonly #frames: { closure: Closure; place: number }[] = []
  /** How many chunks passed in both directions. */
  #chunks = 0
  #closure: Closure | undefined
  /** A test has closed or dropped it. */
  #isLeaving = false

  constructor(owner: Owner, socket: Socket, response: Buffer) {
    this.#owner = owner
    this.#socket = socket
    this.#fromClient = new Decoder(response, 'client', {
      message: (said) => owner.heard(this.#message(said)),
      closed: (code, reason, place) => this.#closing({ code, reason, by: 'client' }, place),
    })
    this.#fromServer = new Decoder(response, 'server', {
      message: (said) => void this.sent.push(said.value),
      closed: (code, reason, place) => this.#closing({ code, reason, by: 'server' }, place),
    })
  }

  get id(): string {
    return this.#socket.name
  }

  get path(): string {
    return this.#socket.path
  }

  get url(): string {
    return this.#socket.request.url ?? '/'
  }

  get request(): IncomingMessage {
    return this.#socket.request
  }

  get subprotocol(): string | undefined {
    return this.#socket.subprotocol
  }

  get connection(): WebSocketConnection {
    return this.#socket.connection
  }

  get faults(): ConnectionFaults {
    return this.connection.faults
  }

  get received(): unknown[] {
    return this.messages.map(({ value }) => value)
  }

  get isOpen(): boolean {
    return !this.#isLeaving && this.#closure === undefined && this.#frames.length === 0
  }

  get isGone(): boolean {
    return this.#closure !== undefined
  }

  get closure(): Closure | undefined {
    return this.#closure
  }

  async next(...[expected, { timeout = this.#owner.timeout } = {}]: [Expected?, WaitOptions?]): Promise<any> {
    const late = (): string => `no message${expected === undefined ? '' : ` that matches ${show(expected)}`} came within ${timeout} ms\n${this.#describe()}`
    const look = (): Message | undefined => take(this.messages, expected, expected === undefined)
    return (await this.#owner.changes.until(look, timeout, late, this.next)).value
  }

  ended({ timeout = this.#owner.timeout }: WaitOptions = {}): Promise<Closure> {
    const late = (): string => `the connection has not ended within ${timeout} ms\n${this.#describe()}`
    return this.#owner.changes.until(() => this.#closure, timeout, late, this.ended)
  }

  send(data: unknown): void {
    void this.connection.send(data)
  }

  close(code?: number, reason?: string): Promise<void> {
    const closed = this.connection.close(code, reason)
    // A code that must not be sent closes nothing.
    if (this.connection.closed) this.#leave()
    return closed
  }

  terminate(): void {
    this.connection.forceClose()
    this.#leave()
  }

  ping(payload?: string | Uint8Array): void {
    this.connection.ping(payload)
  }

  /** Bytes came. */
  read(chunk: Buffer): void {
    // It is unmasked in its place, and is still to be read by the engine.
    this.#fromClient.read(Buffer.from(chunk), this.#chunks++)
  }

  /** Frames are written. */
  wrote(frames: Buffer | Buffer[]): void {
    for (const frame of [frames].flat()) this.#fromServer.read(frame, this.#chunks++)
  }

  /** The transport is gone. What came before is read first: a close frame may be among it. */
  async gone(): Promise<void> {
    this.#isLeaving = true
    await Promise.all([this.#fromClient.end(), this.#fromServer.end()])
    // One direction may have taken longer to inflate.
    const [first] = this.#frames.sort((one, other) => one.place - other.place)
    this.#closure = first?.closure ?? { code: ABNORMAL, reason: '', by: undefined }
    this.#owner.changes.tell()
  }

  /** What matchers need. */
  get [SUBJECT](): Subject {
    const { timeout, changes } = this.#owner
    return {
      name: 'connection',
      timeout,
      messages: this.messages,
      within: (look, limit) => changes.within(look, limit),
      describe: () => this.#describe(),
    }
  }

  #message(said: Said): Message {
    return { ...said, from: this, isRead: false }
  }

  #closing(closure: Closure, place: number): void {
    this.#frames.push({ closure, place })
    this.#owner.changes.tell()
  }

  #leave(): void {
    this.#isLeaving = true
    this.#owner.changes.tell()
  }

  #describe(): string {
    return `Connection: ${connectionLine(this)}\n${receivedLines(this.messages)}`
  }
}

/** What was received, for the message of a failed test. */
export function receivedLines(messages: Message[], name?: (message: Message) => string): string {
  if (messages.length === 0) return 'Received: nothing'
  const lines = messages.map((message) => `${name ? `${name(message)}: ` : ''}${show(message.value)}${message.isRead ? ' (read)' : ''}`)
  return `Received: ${count(messages.length, 'message')}\n${list(lines)}`
}
