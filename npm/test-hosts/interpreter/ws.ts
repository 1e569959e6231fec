/** The clients of npm's `ws`, and plain TCP sockets, which the runner has. */

import { listen, tell } from './control.js'
import { Emitter } from './emitter.js'

/** Something that the runner has. */
class Remote extends Emitter {
  readonly #id: number

  constructor(what: Record<string, unknown>) {
    super()
    this.#id = listen(({ event, given }) => this.heard(event, given))
    tell({ open: this.#id, ...what })
  }

  /** Has a method of it called. */
  protected call(method: string, ...given: unknown[]): void {
    tell({ call: this.#id, method, given })
  }

  protected heard(event: string, given: any[]): void {
    this.emit(event, ...given)
  }
}

/** What is below a client: its bytes as they are. */
class Transport extends Emitter {
  constructor(private readonly run: (method: string, ...given: unknown[]) => void) {
    super()
  }

  override on(event: string, listener: (...given: any[]) => void): this {
    this.run('watchTransport', event)
    return super.on(event, listener)
  }

  write(data: unknown): void {
    this.run('writeTransport', data)
  }

  cork(): void {
    this.run('cork')
  }

  uncork(): void {
    this.run('uncork')
  }
}

export class WebSocket extends Remote {
  static readonly OPEN = 1
  readyState = 0
  binaryType = 'nodebuffer'
  onopen: ((event: object) => void) | null = null
  onmessage: ((event: object) => void) | null = null
  onclose: ((event: object) => void) | null = null
  onerror: ((event: object) => void) | null = null
  readonly _socket = new Transport((method, ...given) => this.call(method, ...given))

  constructor(url: string, protocols?: unknown, options?: object) {
    super({ url: String(url), protocols, options })
  }

  send(data: unknown): void {
    this.call('send', data)
  }

  ping(data?: unknown): void {
    this.call('ping', data)
  }

  pong(data?: unknown): void {
    this.call('pong', data)
  }

  close(code?: number, reason?: string): void {
    this.call('close', code, reason)
  }

  terminate(): void {
    this.call('terminate')
  }

  protected override heard(event: string, given: any[]): void {
    if (event === 'transport') return this._socket.emit(given[0], given[1])
    if (event === 'open') this.readyState = 1
    if (event === 'close') this.readyState = 3
    const isBinary = event === 'message' && given[1]
    const data = isBinary && this.binaryType === 'arraybuffer' ? new Uint8Array(given[0]).slice().buffer : given[0]
    const seen = { open: {}, message: { data: isBinary ? data : String(data) }, close: { code: given[0], reason: String(given[1]) }, error: {} }
    if (event === 'unexpected-response') return this.#refused(given[0])
    super.heard(event, given)
    ;(this as any)[`on${event}`]?.((seen as any)[event])
  }

  /** `ws` ends what was refused itself if nobody else listens. */
  #refused(response: object): void {
    if (this.listens('unexpected-response')) return this.emit('unexpected-response', undefined, { ...response, destroy: () => {} })
    this.heard('error', [new Error('Unexpected server response')])
    this.heard('close', [1006, ''])
  }
}

class Socket extends Remote {
  write(data: unknown): void {
    this.call('write', data)
  }

  end(): void {
    this.call('end')
  }

  destroy(): void {
    this.call('destroy')
  }
}

/** Connects to a port of the runner's machine. */
export function connect(port: number, _host?: string): Socket {
  return new Socket({ port })
}
