import type { Page } from 'playwright-core'

/** One WebSocket of a page, as Chromium's developer tools see it. */
export interface Socket {
  url: string
  /** The headers of the 101, with their names in lower case. */
  responseHeaders: Record<string, string>
  sent: string[]
  received: string[]
  closed: boolean
}

/** Records all WebSockets that a page opens from now on, Vite's own among them. */
export async function recordSockets(page: Page): Promise<Socket[]> {
  const sockets = new Map<string, Socket>()
  const list: Socket[] = []
  const session = await page.context().newCDPSession(page)
  session.on('Network.webSocketCreated', ({ requestId, url }) => {
    const socket: Socket = { url, responseHeaders: {}, sent: [], received: [], closed: false }
    sockets.set(requestId, socket)
    list.push(socket)
  })
  session.on('Network.webSocketHandshakeResponseReceived', ({ requestId, response }) => {
    const headers = Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), value])
    Object.assign(sockets.get(requestId)?.responseHeaders ?? {}, Object.fromEntries(headers))
  })
  session.on('Network.webSocketFrameSent', ({ requestId, response }) => {
    sockets.get(requestId)?.sent.push(response.payloadData)
  })
  session.on('Network.webSocketFrameReceived', ({ requestId, response }) => {
    sockets.get(requestId)?.received.push(response.payloadData)
  })
  session.on('Network.webSocketClosed', ({ requestId }) => {
    const socket = sockets.get(requestId)
    if (socket) socket.closed = true
  })
  await session.send('Network.enable')
  return list
}
