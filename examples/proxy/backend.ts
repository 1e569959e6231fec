import { createServer } from 'node:http'
import { attach } from 'vite-plugin-switchboard'
import type { Plugin } from 'vite'

/** Plays the backend that is far away: events on a port of its own, for those who have the token. */
export function backend(port: number): Plugin {
  return {
    name: 'example-backend',
    configureServer(vite) {
      const server = createServer()
      const switchboard = attach(server, {
        logLevel: 'error',
        routes: [
          {
            pattern: '/live',
            authenticate: (request) => request.headers.authorization === 'Bearer demo-token',
            events: [{ name: 'ticker', interval: 1000, data: { price: '{walk.price 100.00 1.50}' } }],
          },
        ],
      })
      server.listen(port, '127.0.0.1')
      vite.httpServer?.once('close', () => {
        void switchboard.close({ grace: 100 }).then(() => server.close())
      })
    },
  }
}
