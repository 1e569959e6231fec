/** Carries out what a turn of the engine asks for. */

import { open, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import type { Hooks } from '../callbacks/hooks.js'
import type { Sockets } from '../connection/sockets.js'
import type { Accept, Actor, Dial } from '../engine/actor.js'
import { MAX_MESSAGE } from '../engine/memory.js'
import type { Dialler } from '../upstream/dial.js'
import { errorText } from '../values/error.js'
import { Appender } from './appender.js'
import type { Host } from './host.js'

/** What the effects act on. */
interface Parts {
  readonly sockets: Sockets
  readonly dialler: Dialler
  readonly hooks: Hooks
}

/** Carries out a batch. Calls of the engine and of the user's code wait until the batch is read. */
export class Effects implements Actor {
  readonly #host: Host
  readonly #sockets: Sockets
  readonly #dialler: Dialler
  readonly #hooks: Hooks
  #deferred: (() => void)[] = []
  /** Files that are being read, one object for each. */
  readonly #reading = new Set<object>()
  readonly #appender: Appender

  constructor(host: Host, { sockets, dialler, hooks }: Parts) {
    this.#host = host
    this.#sockets = sockets
    this.#dialler = dialler
    this.#hooks = hooks
    this.#appender = new Appender(
      (file) => resolve(host.root, file),
      (file, bytes, wrong) => host.input((core) => core.appended(file, bytes, wrong)),
    )
  }

  /** Does what had to wait until the batch was read. */
  runDeferred(): void {
    const deferred = this.#deferred
    if (deferred.length === 0) return
    this.#deferred = []
    for (const run of deferred) run()
  }

  accept(accept: Accept): void {
    const socket = this.#sockets.find(accept.slot, accept.generation)
    const head = socket?.accept(accept)
    if (socket) this.#host.observer?.accepted(socket, accept.head)
    if (socket && head) this.#deferred.push(() => this.#host.receive(socket, head))
  }

  reject(slot: number, generation: number, response: Buffer): void {
    const socket = this.#sockets.find(slot, generation)
    socket?.reject(response)
    if (socket) this.#host.observer?.refused(socket, response)
    this.#sockets.remove(slot, generation)
  }

  pause(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.pause()
  }

  resume(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.resume()
  }

  write(slot: number, generation: number, frames: Buffer | Buffer[]): void {
    const socket = this.#sockets.find(slot, generation)
    if (socket && this.#host.observer) this.#host.observer.wrote(socket, frames)
    if (socket && this.#host.notesPings && hasPing(frames)) this.#host.pinged.add(socket)
    if (socket && !socket.write(frames)) {
      this.#deferred.push(() => this.#host.input((core) => core.blocked(slot, generation)))
    }
  }

  end(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.end()
  }

  reportUnsent(slot: number, generation: number): void {
    const bytes = this.#sockets.find(slot, generation)?.unsentBytes ?? 0
    this.#deferred.push(() => this.#host.input((core) => core.unsent(slot, generation, bytes)))
  }

  terminate(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.terminate()
  }

  removed(slot: number, generation: number): void {
    this.#sockets.find(slot, generation)?.forgotten()
    this.#sockets.remove(slot, generation)
  }

  dial(upstream: number, dial: Dial): void {
    this.#dialler.dial(upstream, dial)
  }

  sendUpstream(upstream: number, message: string | Buffer): void {
    this.#dialler.send(upstream, message)
  }

  closeUpstream(upstream: number, code: number | undefined, reason: string): void {
    this.#dialler.close(upstream, code, reason)
  }

  pauseUpstream(upstream: number): void {
    this.#dialler.pause(upstream)
  }

  resumeUpstream(upstream: number): void {
    this.#dialler.resume(upstream)
  }

  terminateUpstream(upstream: number): void {
    this.#dialler.terminate(upstream)
  }

  cancelCall(call: number): void {
    this.#hooks.cancel(call)
  }

  logged(level: number, text: string): void {
    this.#deferred.push(() => this.#host.log.fromEngine(level, text))
  }

  readFile(feed: string, file: string): void {
    const reading = {}
    this.#reading.add(reading)
    readFile(resolve(this.#host.root, file))
      .then((content) => {
        if (content.length > MAX_MESSAGE) throw new RangeError(`${file} has ${content.length} bytes; the most is ${MAX_MESSAGE}`)
        this.#host.fileRead(feed, file, content)
      })
      .catch((error: unknown) => this.#host.input((core) => core.file_failed(feed, file, errorText(error))))
      .finally(() => this.#reading.delete(reading))
  }

  readFilePart(read: number, offset: number, length: number, file: string): void {
    const reading = {}
    this.#reading.add(reading)
    readPart(resolve(this.#host.root, file), offset, length)
      .then((part) => this.#host.filePartRead(read, part, part.length < length))
      .catch((error: unknown) => this.#host.input((core) => core.file_part_failed(read, errorText(error))))
      .finally(() => this.#reading.delete(reading))
  }

  appendFile(file: string, bytes: Buffer): void {
    this.#appender.append(file, bytes)
  }

  /** Waits until what is to be appended to files is written. */
  filesWritten(): Promise<void> {
    return this.#appender.written()
  }

  /** Files that are being read or written, one object for each. */
  *pending(): Iterable<object> {
    yield* this.#reading
    yield* this.#appender.pending()
  }
}

/** At most `length` bytes of a file from `offset` on; fewer only where it ends. */
async function readPart(path: string, offset: number, length: number): Promise<Buffer> {
  const file = await open(path)
  try {
    const part = Buffer.allocUnsafe(length)
    let at = 0
    while (at < length) {
      const { bytesRead } = await file.read(part, at, length - at, offset + at)
      if (bytesRead === 0) break
      at += bytesRead
    }
    return part.subarray(0, at)
  } finally {
    await file.close()
  }
}

/** The opcode of a ping with the bit FIN, RFC 6455 section 5.2. */
const PING = 0x89

/** Whether a ping is among these frames, which are a server's: without a mask. */
function hasPing(frames: Buffer | Buffer[]): boolean {
  for (const frame of [frames].flat()) {
    for (let at = 0; at + 1 < frame.length; ) {
      if (frame[at] === PING) return true
      const length = frame[at + 1]!
      if (length === 126 && at + 4 <= frame.length) at += 4 + frame.readUInt16BE(at + 2)
      // Nothing stands behind a frame that is so large.
      else if (length > 125) break
      else at += 2 + length
    }
  }
  return false
}
