/** Keeps a host running: one whose engine failed, or keeps much memory for nobody, is replaced. */

import type { Setup } from '../config/setup.js'
import { clearTimeout, monotonic, setTimeout } from '../engine/time.js'
import type { Reconfiguration } from '../interface/reconfiguration.js'
import type { Log } from '../log/log.js'
import { errorText } from '../values/error.js'
import { HostClock } from './clock.js'
import { Host, type HostSurroundings } from './host.js'

/**
 * Up to this many failures within {@link RECENT} ms, the engine is replaced at once; each further one doubles the pause
 * before that, up to the longest.
 */
const AT_ONCE = 3
const RECENT = 60_000
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 10_000

/** The host of one Switchboard, and its successors. */
export class Supervisor {
  #setup: Setup
  #root: string
  #log: Log
  #host: Host
  readonly #around: HostSurroundings
  /** When engines failed lately, in ms of the system's clock. */
  #failures: number[] = []
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  /** Throws what is wrong with the configuration. */
  constructor(setup: Setup, root: string, log: Log, around: HostSurroundings = { clock: new HostClock() }) {
    this.#around = around
    this.#setup = setup
    this.#root = root
    this.#log = log
    this.#host = this.#create()
    around.clock.drive(() => (this.#isOver && this.#host.isBroken ? undefined : this.#host))
    this.#host.start()
    for (const { events } of setup.routes) if (events.start) void this.#run(events.start)
  }

  get clock(): HostClock {
    return this.#around.clock
  }

  /** The current host. While it is broken, it is about to be replaced. */
  get host(): Host {
    return this.#host
  }

  /**
   * As {@link Host.reconfigure}, with `root` and `log` for what comes; an engine that failed is started again with the new
   * configuration. `commands.on.start` is not called again.
   */
  reconfigure(setup: Setup, root = this.#root, log = this.#log): Reconfiguration | undefined {
    // Files are read while the engine takes it.
    this.#host.root = root
    try {
      const done = this.#host.reconfigure(setup)
      this.#setup = setup
      this.#root = root
      this.#log = this.#host.log = log
      return done
    } finally {
      this.#host.root = this.#root
    }
  }

  /** As {@link Host.shutdown}, and recordings are written. When the last callback is done too, nothing is left. */
  async shutdown(code: number, reason: string, grace?: number): Promise<void> {
    const idle = this.#host.shutdown(code, reason, grace)
    this.#isOver = true
    clearTimeout(this.#timer)
    await idle
    await this.#host.filesWritten()
  }

  /** Ends everything at once. */
  dispose(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#host.dispose()
  }

  #create(): Host {
    const owner = {
      broken: (said: string, closed: number): void => this.#broken(said, closed),
      large: (bytes: number): void => this.#renew(bytes),
    }
    return new Host(this.#setup, this.#root, this.#log, owner, this.#around)
  }

  /** The memory of an engine never shrinks: after a flood, when everybody has left, a new one takes its place. */
  #renew(bytes: number): void {
    if (this.#isOver) return
    const before = this.#host
    try {
      this.#host = this.#create()
    } catch {
      // There may be no memory for two of them; the old one serves on.
      return
    }
    before.dispose()
    this.#host.start()
    this.#log.write('debug', `the engine kept ${bytes >> 20} MiB with nobody to serve, and was made anew`)
  }

  #broken(said: string, closed: number): void {
    const cause = said.includes('call stack') ? '; perhaps a function calls itself without end' : ''
    this.#log.write(
      'error',
      `the engine failed and is started again, which closed ${closed} connections with 1012 and emptied feeds and rooms; ` +
        `please report this: ${said}${cause}`,
    )
    if (this.#isOver) return
    const now = monotonic()
    this.#failures = this.#failures.filter((time) => now - time < RECENT)
    this.#failures.push(now)
    const tooMany = this.#failures.length - AT_ONCE
    if (tooMany <= 0) return this.#replace()
    this.#timer = setTimeout(() => this.#replace(), Math.min(FIRST_PAUSE * 2 ** (tooMany - 1), LONGEST_PAUSE))
    // A process that has nothing else to do may end.
    this.#timer.unref()
  }

  #replace(): void {
    if (this.#isOver) return
    try {
      this.#host = this.#create()
    } catch (error) {
      return this.#broken(errorText(error), 0)
    }
    this.#host.start()
  }

  async #run(start: () => unknown): Promise<void> {
    try {
      await start()
    } catch (error) {
      this.#log.failed('commands.on.start', error)
    }
  }
}
