/** The TCP sockets below those of an HTTPS server. */

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Server as TlsServer } from 'node:tls'

import type { HttpServer } from '../interface/switchboard.js'

/**
 * Knows which TCP socket carries which TLS socket. Node shows the one to `connection` and the other to all later
 * events, without a link between them; that they have the same peer tells which belong together.
 */
export class TcpSockets {
  readonly #byPeer = new Map<string, Socket>()
  #server: TlsServer | undefined

  /** Of a server without TLS there is nothing to know: its sockets are TCP's. */
  constructor(server: HttpServer | null | undefined) {
    if (!(server instanceof TlsServer)) return
    this.#server = server
    server.on('connection', this.#add)
  }

  /** Learns of no more sockets. */
  stop(): void {
    this.#server?.off('connection', this.#add)
  }

  readonly #add = (socket: Socket): void => {
    const peer = peerOf(socket)
    if (peer === undefined) return
    this.#byPeer.set(peer, socket)
    socket.once('close', () => {
      if (this.#byPeer.get(peer) === socket) this.#byPeer.delete(peer)
    })
  }

  /** What is below this socket, if it is known and still there. */
  below(socket: Duplex): Socket | undefined {
    const peer = peerOf(socket as Socket)
    return peer === undefined ? undefined : this.#byPeer.get(peer)
  }
}

/** Address and port of the peer; `undefined` when it is gone, or was never reached over TCP. */
function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`
}
