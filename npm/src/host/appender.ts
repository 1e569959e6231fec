/** Files that are appended to, each in the order in which the engine asks for it. */

import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

import { errorText } from '../values/error.js'

/** Tells that so many bytes of a file were written, or what went wrong. */
type Report = (file: string, bytes: number, error: string | undefined) => void

/** What is to be written to one file. How much waits here is bounded by the engine, which is told what was written. */
interface Queue {
  waiting: Buffer[]
  /** Ends when nothing waits any more. */
  writing: Promise<void> | undefined
  /** Whether it was written to already. */
  hasBegun: boolean
}

/** Appends to files; what comes while a file is being written is written together, next. */
export class Appender {
  readonly #resolve: (file: string) => string
  readonly #report: Report
  readonly #queues = new Map<string, Queue>()

  constructor(resolve: (file: string) => string, report: Report) {
    this.#resolve = resolve
    this.#report = report
  }

  append(file: string, bytes: Buffer): void {
    let queue = this.#queues.get(file)
    if (!queue) this.#queues.set(file, (queue = { waiting: [], writing: undefined, hasBegun: false }))
    queue.waiting.push(bytes)
    queue.writing ??= this.#write(file, queue)
  }

  /** Waits until everything is written, of one file or of all. */
  async written(file?: string): Promise<void> {
    const queues = file === undefined ? [...this.#queues.values()] : [this.#queues.get(file)]
    await Promise.all(queues.map((queue) => queue?.writing))
  }

  /** The files that are being written, one object for each. */
  *pending(): Iterable<object> {
    for (const queue of this.#queues.values()) if (queue.writing) yield queue
  }

  async #write(file: string, queue: Queue): Promise<void> {
    while (queue.waiting.length > 0) {
      const bytes = Buffer.concat(queue.waiting.splice(0))
      let wrong: string | undefined
      try {
        await append(this.#resolve(file), bytes, !queue.hasBegun)
        queue.hasBegun = true
      } catch (error) {
        wrong = errorText(error)
      }
      this.#report(file, bytes.length, wrong)
    }
    queue.writing = undefined
  }
}

/** The file is opened each time, so that it can be moved away meanwhile. `begins`: it may end in the middle of a line. */
async function append(path: string, bytes: Buffer, begins: boolean): Promise<void> {
  const handle = await open(path, 'a+').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    await mkdir(dirname(path), { recursive: true })
    return open(path, 'a+')
  })
  try {
    if (begins) {
      const { size } = await handle.stat()
      const last = Buffer.alloc(1)
      if (size > 0) await handle.read(last, 0, 1, size - 1)
      if (size > 0 && last[0] !== LINE_FEED) await handle.appendFile('\n')
    }
    await handle.appendFile(bytes)
  } finally {
    await handle.close()
  }
}

const LINE_FEED = 0x0a
