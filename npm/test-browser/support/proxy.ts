import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'

/** Hands bytes through to a server on 127.0.0.1 and counts those that come back. */
export class CountingProxy {
  /** Bytes from the server to its clients so far. */
  received = 0

  private constructor(
    private readonly server: Server,
    /** Such as `127.0.0.1:40123`. */
    readonly address: string,
  ) {}

  static async start(target: string): Promise<CountingProxy> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new CountingProxy(server, `127.0.0.1:${(server.address() as AddressInfo).port}`)
    server.on('connection', (client) => {
      const upstream = connect(Number(target.split(':')[1]), '127.0.0.1')
      upstream.on('data', (bytes) => {
        proxy.received += bytes.length
      })
      client.pipe(upstream).pipe(client)
      client.on('error', () => upstream.destroy())
      upstream.on('error', () => client.destroy())
    })
    return proxy
  }

  /** Takes no new connections; the existing ones end with their browser. */
  stop(): void {
    this.server.close()
  }
}
