/** Leads a socket of a page, which Playwright holds, to a server. */

import { WebSocket } from 'ws'

/** A page's socket, as Playwright shows it. */
export interface Bridged {
  protocols?(): string[]
  send(message: string | Buffer): void
  close(options?: { code?: number; reason?: string }): Promise<void>
  onMessage(handler: (message: string | Buffer) => void): void
  onClose(handler: (code: number | undefined, reason: string | undefined) => void): void
}

/** Codes that stand for there being none, RFC 6455 section 7.4.1: no close frame has them. */
const NO_CODE = 1005
const ABNORMAL = 1006

/** Connects the page's socket to a URL; done when that is open, or has failed and the page was told. */
export function bridge(page: Bridged, url: string, headers: Record<string, string>): Promise<void> {
  const server = new WebSocket(url, page.protocols?.() ?? [], { headers })
  page.onMessage((message) => server.send(message))
  page.onClose((code, reason) => {
    if (server.readyState === WebSocket.CONNECTING) server.terminate()
    else server.close(code === NO_CODE || code === ABNORMAL ? undefined : code, reason)
  })
  server.on('message', (data: Buffer, isBinary) => page.send(isBinary ? data : data.toString()))
  // The close event behind it says enough.
  server.on('error', () => {})
  return new Promise((resolve) => {
    server.on('open', resolve)
    server.on('close', (code, reason) => {
      const shown = code === NO_CODE ? {} : { code, reason: reason.toString() }
      void page.close(shown).then(resolve, () => resolve())
    })
  })
}
