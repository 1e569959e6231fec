/** A server outside of the test process, such as the Vite that Playwright started, controlled for one test. */

import { connect, type ControlClient, type ControlConnection, type ControlEvent, type ControlEvents, ControlFailure } from '../control/client.js'
import { monotonic } from '../engine/time.js'
import type { ControlEventKind } from '../interface/control-api.js'
import type { WaitOptions } from '../interface/testing.js'
import { failure } from './failure.js'
import { Changes } from './waiting.js'

/** How the server is reached, and what it goes through between tests. */
export interface ControlledOptions {
  /** Its address, such as `http://localhost:5173`. Default: Playwright's `baseURL`. */
  url?: string
  /** The token of its control API. Default: the environment variable `SWITCHBOARD_CONTROL_TOKEN`. */
  token?: string
  /**
   * Whether it is reset before and after each test: all connections are closed, faults that were added are taken back, and a
   * clock that was stopped runs again. With `false` only the faults that the test has added are taken back: for tests that run at the same time on one server.
   * Default `true`.
   */
  reset?: boolean
  /** How long `opened` waits, in ms. Default `5000`. */
  timeout?: number
  /** Whether messages may break the contract of their route while the test runs. Default `false`: then it fails. */
  violations?: boolean
  /** Whether clients may send what a recording or a scenario does not expect. Default `false`: then the test fails. */
  mismatches?: boolean
}

/** The client of the server's control API, with what tests need besides. */
export interface ControlledServer extends ControlClient {
  /**
   * The next connection: the oldest one since the test began that this was not asked for yet and that is still there, or the
   * one that opens. `path`: only one with this path, which is without the query. Rejects if none opens in time.
   */
  opened(path?: string, options?: WaitOptions): Promise<ControlConnection>
}

/** So many paths are shown when no connection came, the latest ones. */
const MOST_PATHS = 20

/** A connection, as the event says that it has opened. */
interface Opened {
  readonly connection: string
  readonly path: string
}

/** Controls a server while `use` runs. */
export async function controlled(options: ControlledOptions & { url: string }, use: (server: ControlledServer) => Promise<void>): Promise<void> {
  const { url, token, reset = true, timeout = 5000, violations = false, mismatches = false } = options
  const client = await connect(url, { token })
  if (reset) await client.reset()
  const kinds: ControlEventKind[] = ['opened', ...(violations ? [] : ['violation' as const]), ...(mismatches ? [] : ['mismatch' as const])]
  const openings = new Openings(client, await client.events({ kinds }), kinds, timeout)
  const added = new Set<number>()
  const breakpoints = new Set<number>()
  const addFaults: ControlClient['addFaults'] = async (faults) => {
    const fault = await client.addFaults(faults)
    added.add(fault.id)
    return fault
  }
  const removeFaults: ControlClient['removeFaults'] = async (id) => {
    const done = await client.removeFaults(id)
    if (id === undefined) added.clear()
    else added.delete(id)
    return done
  }
  const addBreakpoint: ControlClient['addBreakpoint'] = async (breakpoint) => {
    const made = await client.addBreakpoint(breakpoint)
    breakpoints.add(made.id)
    return made
  }
  const opened: ControlledServer['opened'] = (path, waiting) => openings.next(path, waiting, opened)
  try {
    await use({ ...client, addFaults, removeFaults, addBreakpoint, opened })
    await openings.verify()
  } finally {
    openings.end()
    if (reset) await client.reset()
    else {
      const takeFaults = [...added].map((id) => takeBack(client.removeFaults(id)))
      await Promise.all([...takeFaults, ...[...breakpoints].map((id) => takeBack(client.removeBreakpoints(id)))])
    }
  }
}

async function takeBack(removal: Promise<unknown>): Promise<void> {
  try {
    await removal
  } catch (error) {
    // Others have done it.
    if (!isGone(error)) throw error
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ControlFailure && error.status === 404
}

class Openings {
  readonly #client: ControlClient
  readonly #events: ControlEvents
  readonly #kinds: ControlEventKind[]
  readonly #timeout: number
  readonly #changes = new Changes()
  readonly #all: Opened[] = []
  readonly #given = new Set<Opened>()
  #subscribed = 0
  readonly #violations: Extract<ControlEvent, { type: 'violation' }>[] = []
  readonly #mismatches: Extract<ControlEvent, { type: 'mismatch' }>[] = []
  #isOver = false

  constructor(client: ControlClient, events: ControlEvents, kinds: ControlEventKind[], timeout: number) {
    this.#client = client
    this.#events = events
    this.#kinds = kinds
    this.#timeout = timeout
    void this.#listen()
  }

  /** `caller`: where the stack of what it rejects with begins. */
  async next(path: string | undefined, { timeout = this.#timeout }: WaitOptions = {}, caller: Function): Promise<ControlConnection> {
    const end = monotonic() + timeout
    const fits = (one: Opened): boolean => path === undefined || one.path === path
    const late = (): string => {
      const paths = [...new Set(this.#all.map((one) => one.path))].slice(-MOST_PATHS)
      const others = paths.length > 0 ? `; since the test began some opened on ${paths.join(', ')}` : ''
      const further = [...this.#given].some(fits) ? 'further ' : ''
      return `no ${further}connection${path === undefined ? '' : ` on ${path}`} was opened within ${timeout} ms${others}`
    }
    const look = (): Opened | undefined => {
      const found = this.#all.find((one) => !this.#given.has(one) && fits(one))
      if (found) this.#given.add(found)
      else if (this.#isOver) throw new Error('the server tells no more about its connections; has it stopped?')
      return found
    }
    for (;;) {
      const opened = await this.#changes.until(look, Math.max(0, end - monotonic()), late, caller)
      try {
        return await this.#client.connection(opened.connection)
      } catch (error) {
        if (!isGone(error)) throw error
      }
    }
  }

  end(): void {
    this.#events.close()
  }

  /** Fails if messages broke the contract of their route, or did not match its recording or scenario, since the test began. */
  async verify(): Promise<void> {
    // What was told before the answer to this has come then.
    const before = this.#subscribed
    this.#events.subscribe({ kinds: this.#kinds })
    await this.#changes.within(() => this.#subscribed > before || this.#isOver || undefined, this.#timeout)
    const problems = this.#violations.map(({ route, direction, violations }) => {
      const way = direction === 'in' ? 'received' : 'sent'
      return `${route} ${way} a message that breaks its contract: ${violations.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')}`
    })
    problems.push(...this.#mismatches.map(({ route, text }) => `${route}: ${text}`))
    if (problems.length > 0) throw failure(problems)
  }

  async #listen(): Promise<void> {
    for await (const event of this.#events) {
      if (event.type === 'violation') this.#violations.push(event)
      else if (event.type === 'mismatch') this.#mismatches.push(event)
      else if (event.type === 'subscribed') this.#subscribed++
      else if (event.type === 'opened') this.#all.push(event)
      this.#changes.tell()
    }
    this.#isOver = true
    this.#changes.tell()
  }
}
