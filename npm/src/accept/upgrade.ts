/** Takes upgrade requests that are for this server, and leaves the others. */

import type { Duplex } from 'node:stream'

import { ignore, respond } from '../connection/socket.js'
import type { Supervisor } from '../host/supervisor.js'
import type { Upgrade } from '../interface/switchboard.js'

/** Vite's own sockets: hot updates, and the ping by which a page learns that the server is back. */
const VITE_PROTOCOLS = new Set(['vite-hmr', 'vite-ping'])
const PROTOCOL = 'sec-websocket-protocol'

const EMPTY = Buffer.alloc(0)

const MALFORMED = response('400 Bad Request', 'the request is malformed')
const BROKEN = response('503 Service Unavailable', 'the WebSocket engine failed and is started again')

/** The upgrade handler of one Switchboard. */
export function createUpgrade(running: Supervisor, prefixes: () => string[]): Upgrade {
  return (request, socket, head) => {
    const url = request.url ?? ''
    // Other listeners parse the URL too, Vite's without expecting that it may not be one. A path always is.
    if (!url.startsWith('/') && !URL.canParse(`http://localhost${url}`)) {
      request.url = '/'
      return refuse(socket, MALFORMED)
    }
    if (isOfVite(request.rawHeaders)) return false
    const { host } = running
    if (host.isBroken) return isBelow(url, prefixes()) ? refuse(socket, BROKEN) : false
    const claimed = host.upgrade(request, socket, head ?? EMPTY)
    if (claimed !== undefined) return claimed
    return isBelow(url, prefixes()) ? refuse(socket, MALFORMED) : false
  }
}

/** Whether one of Vite's own protocols, and nothing else, is asked for. The object of all headers need not be made for that. */
export function isOfVite(rawHeaders: string[]): boolean {
  let protocol: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length !== PROTOCOL.length || name.toLowerCase() !== PROTOCOL) continue
    if (protocol !== undefined) return false
    protocol = rawHeaders[index + 1]
  }
  return protocol !== undefined && VITE_PROTOCOLS.has(protocol)
}

function refuse(socket: Duplex, text: string): true {
  socket.on('error', ignore)
  respond(socket, text)
  return true
}

function response(status: string, reason: string): string {
  return (
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${reason.length + 1}\r\n\r\n${reason}\n`
  )
}

/** Whether a URL's path is one of the prefixes or below it. */
export function isBelow(url: string, prefixes: string[]): boolean {
  const [path] = url.split(/[?#]/, 1) as [string]
  return prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))
}
