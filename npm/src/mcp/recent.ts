/** The events that came lately from a server, kept while something may ask for them. */

import { connect, type ControlEvent, ControlFailure } from '../control/client.js'

/** The most events that are kept; the oldest make room. */
const MOST_EVENTS = 2000

/** How many of the events that the server has kept are asked for when it is found. */
const EARLIER = 1000

/** The most characters of JSON that are kept. */
const MOST_CHARACTERS = 8 * 1024 * 1024

/** How many events are given without a limit. */
const DEFAULT_LIMIT = 50

/** The pause in ms before a server that is gone is looked for again; it doubles up to the second. */
const PAUSES = [500, 10_000] as const

/** Which events are asked for. */
export interface RecentQuery {
  kinds?: string[] | null
  route?: string | null
  connection?: string | null
  direction?: string
  contains?: string
  after?: number
  limit?: number
  wait?: number
}

/** What is known of them. */
export interface RecentEvents {
  events: ControlEvent[]
  next: number
  forgotten: number
  since: number | null
}

interface Kept {
  event: ControlEvent
  characters: number
}

/** Listens to the live events of a server, again when it was restarted, and keeps the latest. */
export class Recent {
  readonly #url: string
  readonly #token: string
  readonly #kept: Kept[] = []
  readonly #wakers = new Set<() => void>()
  #characters = 0
  #forgotten = 0
  /** The time and the number of the latest event. */
  #latest: [at: number, sequence: number] = [0, 0]
  /** Since when it listens, in ms since 1970. */
  #since: number | null = null
  #listening: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #pause: number = PAUSES[0]

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  /** Resolves when it listens; rejects with why it cannot. */
  async listen(): Promise<void> {
    clearTimeout(this.#timer)
    this.#listening ??= this.#start().catch((error: unknown) => {
      this.#listening = undefined
      // Another token has to come from the server's side; calls try again.
      if (!(error instanceof ControlFailure && error.status === 401)) this.#again()
      throw error
    })
    return this.#listening
  }

  /** Those that match, after waiting for the first if there is none. */
  async find(query: RecentQuery): Promise<RecentEvents> {
    const end = Date.now() + (query.wait ?? 0)
    for (;;) {
      const found = this.#matching(query)
      const left = end - Date.now()
      if (found.events.length > 0 || left <= 0) return found
      await this.#next(left)
    }
  }

  async #start(): Promise<void> {
    const client = await connect(this.#url, { token: this.#token })
    const events = await client.events({ recent: EARLIER })
    this.#since = Date.now()
    this.#pause = PAUSES[0]
    await new Promise<void>((resolve) => {
      void (async () => {
        let earlier = events.recent
        if (earlier === 0) resolve()
        for await (const event of events) {
          this.#keep(event)
          // Whoever asks first is told what the server had kept too.
          if (--earlier === 0) resolve()
        }
        resolve()
        this.#since = null
        this.#listening = undefined
        this.#again()
      })()
    })
  }

  #again(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.listen().catch(() => {}), this.#pause).unref()
    this.#pause = Math.min(this.#pause * 2, PAUSES[1])
  }

  #keep(event: ControlEvent): void {
    if (this.#isKnown(event)) return
    const characters = JSON.stringify(event).length
    this.#kept.push({ event, characters })
    this.#characters += characters
    while (this.#kept.length > MOST_EVENTS || this.#characters > MOST_CHARACTERS) {
      this.#characters -= this.#kept.shift()!.characters
      this.#forgotten++
    }
    for (const wake of this.#wakers) wake()
  }

  /** Whether it came already, before the same server was found again. A new server counts from 1 again, but later. */
  #isKnown(event: ControlEvent): boolean {
    if (!('sequence' in event) || typeof event.sequence !== 'number') return false
    const [at, sequence] = this.#latest
    if (event.at < at || (event.at === at && event.sequence <= sequence)) return true
    this.#latest = [event.at, event.sequence]
    return false
  }

  #matching({ after, limit = DEFAULT_LIMIT, ...filter }: RecentQuery): RecentEvents {
    // An event's number is how many came before it, and one.
    const skipped = Math.max(0, (after ?? 0) - this.#forgotten)
    const found: { number: number; event: ControlEvent }[] = []
    for (const [index, { event }] of this.#kept.entries()) {
      if (index >= skipped && matches(event, filter)) found.push({ number: this.#forgotten + index + 1, event })
    }
    const given = after === undefined ? found.slice(-limit) : found.slice(0, limit)
    const isRest = after === undefined || given.length === found.length
    return {
      events: given.map(({ event }) => event),
      next: isRest ? this.#forgotten + this.#kept.length : given.at(-1)!.number,
      forgotten: this.#forgotten,
      since: this.#since,
    }
  }

  #next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#wakers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#wakers.add(wake)
    })
  }
}

function matches(event: ControlEvent, { kinds, route, connection, direction, contains }: RecentQuery): boolean {
  // Gaps count whatever is asked for.
  if (event.type === 'missed') return true
  if (event.type === 'subscribed') return false
  const of = event as { route?: string; connection?: string; direction?: string; text?: string; error?: string; reason?: string }
  if (kinds && !kinds.includes(event.type)) return false
  if (route && of.route !== route) return false
  if (connection && of.connection !== connection) return false
  if (direction && of.direction !== direction) return false
  return contains === undefined || [of.text, of.error, of.reason].some((text) => text?.includes(contains))
}
