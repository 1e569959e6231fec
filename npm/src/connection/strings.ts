/** Strings that many requests have in common, kept once. */

import type { IncomingMessage } from 'node:http'

/** How many strings are kept before it starts anew, and how long each may be in UTF-16 units. */
const MOST = 512
const LONGEST = 256

const NONE: string[] = []

/** The length of the one header name whose values are never the same. */
const KEY = 'sec-websocket-key'.length

/** Remembers what it was shown last. */
export class Strings {
  readonly #known = new Map<string, string>()

  /** Makes a request share its strings with earlier requests. */
  share(request: IncomingMessage): void {
    const { url, rawHeaders } = request
    if (url !== undefined) request.url = this.#of(url)
    // An array of its own, too: the one that grew with each header is longer than it has to be.
    const shared = new Array<string>(rawHeaders.length)
    for (let index = 0; index < shared.length; index += 2) {
      const name = (shared[index] = this.#of(rawHeaders[index]!))
      const value = rawHeaders[index + 1]!
      shared[index + 1] = name.length === KEY ? value : this.#of(value)
    }
    request.rawHeaders = shared
    // An upgrade has none.
    request.rawTrailers = NONE
  }

  /** The same text, as the same string as last time. */
  #of(text: string): string {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    if (text.length > LONGEST) return text
    if (this.#known.size === MOST) this.#known.clear()
    this.#known.set(text, text)
    return text
  }
}
