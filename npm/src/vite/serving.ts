/** A server of Vite's that a plugin serves. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

import { claim } from '../accept/attachment.js'
import { ignore } from '../connection/socket.js'
import type { Started } from '../attach.js'
import type { HandlerFiles } from './handler-files.js'
import type { TcpSockets } from './tcp.js'

/** One server of Vite's that is served. */
export interface Serving extends Started {
  tcp: TcpSockets
  /** Its server exists: no hook of another plugin can prevent that any more. */
  isReady: boolean
  /** The handler files, if there are any. */
  files: HandlerFiles | undefined
  /** Closes all connections, and ends; resolves when all are closed. */
  stop(code: number, reason?: string): Promise<void>
  /** Serves no more. Whose connections they are, goes on. */
  release(): void
  /** Its server will not be: ends what it began. */
  discard(): void
}

/** All that run in this process, for `upgrade`. */
export const running = new Set<Serving>()

/** One of each that share an engine: while Vite restarts, the old server and the new one do. */
export function each(all: Iterable<Serving>): Serving[] {
  return [...new Map([...all].map((one) => [one.running, one])).values()]
}

/** Offers an upgrade request to some of them. */
export function offer(to: Set<Serving>, request: IncomingMessage, socket: Duplex, head?: Buffer | null): boolean {
  const ready = each(to).filter(({ isReady }) => isReady)
  const loading = ready.map((one) => one.loadingFor(request)).find((promise) => promise !== undefined)
  if (loading) {
    // Whose it is will be known when the handlers are loaded; below the prefix it is nobody else's.
    socket.on('error', ignore)
    void loading.then(() => {
      socket.off('error', ignore)
      if (!socket.destroyed && !offer(to, request, socket, head)) socket.destroy()
    })
    return true
  }
  return claim(ready.map(({ switchboard: { upgrade }, serves }) => ({ upgrade, serves })), request, socket, head)
}

/** Replaces a function of an object, until a Switchboard is closed. */
export function replace<T extends object, K extends keyof T>(
  one: Serving,
  object: T,
  key: K,
  by: (original: T[K]) => T[K],
): void {
  const original = object[key]
  const own = (object[key] = by(original))
  one.onClosed(() => {
    if (object[key] === own) object[key] = original
  })
}
