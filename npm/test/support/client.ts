/** A WebSocket client of npm's `ws` whose messages can be awaited one by one. */

import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { connect as connectTcp } from 'node:net'

import { type ClientOptions, WebSocket } from 'ws'

/** How a connection ended. */
export interface Ended {
  code: number
  reason: string
}

export class Client {
  readonly socket: WebSocket
  /** Resolves when the connection has ended. */
  readonly ended: Promise<Ended>
  /** The headers of the server's 101. */
  headers: IncomingHttpHeaders = {}
  readonly #received: (string | Buffer)[] = []
  #wake: (() => void) | undefined
  #isOver = false

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer, isBinary) => {
      this.#received.push(isBinary ? data : data.toString())
      this.#wake?.()
    })
    socket.on('error', () => {})
    socket.on('upgrade', ({ headers }) => (this.headers = headers))
    this.ended = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#isOver = true
        this.#wake?.()
        resolve({ code, reason: reason.toString() })
      })
    })
  }

  /** The next message. */
  async next(): Promise<string | Buffer> {
    while (this.#received.length === 0) {
      if (this.#isOver) throw new Error('the connection ended before the next message')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return this.#received.shift()!
  }

  /** The next message, parsed. */
  async json(): Promise<any> {
    return JSON.parse((await this.next()) as string)
  }

  send(data: unknown): void {
    const isRaw = typeof data === 'string' || data instanceof Uint8Array
    this.socket.send(isRaw ? data : JSON.stringify(data))
  }

  /** What has come and was not asked for. */
  get rest(): (string | Buffer)[] {
    return this.#received
  }

  async close(code = 1000): Promise<Ended> {
    this.socket.close(code)
    return this.ended
  }
}

const open: WebSocket[] = []

/** Opens a connection. */
export async function connect(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<Client> {
  const client = dial(url, options)
  await Promise.race([
    once(client.socket, 'open'),
    client.ended.then(({ code }) => Promise.reject(new Error(`not opened: ${code}`))),
  ])
  return client
}

/** Begins to open a connection. */
export function dial(url: string, options: ClientOptions & { protocols?: string[] } = {}): Client {
  const { protocols = [], ...rest } = options
  const socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...rest })
  open.push(socket)
  return new Client(socket)
}

/** Ends all connections of a test. */
export function disconnectAll(): void {
  for (const socket of open.splice(0)) socket.terminate()
}

/** The HTTP status that a refused upgrade is answered with. */
export async function refusal(url: string, options: ClientOptions = {}): Promise<number> {
  const { socket } = dial(url, options)
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_, response) => {
      resolve(response.statusCode!)
      response.destroy()
    })
    socket.on('open', () => reject(new Error('it was not refused')))
    socket.on('close', () => reject(new Error('it was closed without an answer')))
  })
}

/** Sends text over TCP and gives back all that comes until the server closes. */
export async function raw(port: number, text: string): Promise<string> {
  const socket = connectTcp(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
  socket.write(text, 'latin1')
  await new Promise<void>((resolve, reject) => {
    socket.on('close', () => resolve())
    socket.on('error', reject)
  })
  return answer
}

/** An opening handshake as text. */
export function handshake(path: string, headers: Record<string, string> = {}): string {
  const all = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}
