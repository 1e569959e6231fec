/** One request to the control API. It needs nothing of Node's, so that pages can use it. */

import { PATH } from './access.js'

/** Why nothing was done. */
export class ControlFailure extends Error {
  override readonly name = 'ControlFailure'
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** Asks for a path below the root, and gives back the answer's body. Rejects with a {@link ControlFailure}. */
export type Ask = <T>(path: string, query?: object, body?: unknown, method?: string) => Promise<T>

/** The root of the API on the server with this address. */
export function rootOf(url: string | URL): URL {
  return new URL(PATH, url)
}

/** How a server is asked with a token. Without a method it is GET, and with a body POST. */
export function requests(root: URL, token: string): Ask {
  return async <T>(path: string, query: object = {}, body?: unknown, method = body === undefined ? 'GET' : 'POST') => {
    const target = new URL(root.href + path)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value))
    }
    const headers = { authorization: `Bearer ${token}` }
    const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }
    let status = 0
    try {
      const response = await fetch(target, init)
      ;({ status } = response)
      // A recording is lines of JSON, and given as text.
      if (response.ok && response.headers.get('content-type')?.startsWith('application/x-ndjson')) return (await response.text()) as T
      const answer = (await response.json()) as T & { error?: string }
      if (response.ok) return answer
      throw new ControlFailure(status, answer.error ?? response.statusText)
    } catch (error) {
      if (error instanceof ControlFailure) throw error
      const why = status === 0 ? `${root.origin} does not answer` : `there is no control API at ${root.href}; is it switched on?`
      throw new ControlFailure(status, why, { cause: error })
    }
  }
}
