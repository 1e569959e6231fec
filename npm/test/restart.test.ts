/** What clients get when Vite restarts or closes: all that waited for them, and a close frame. */

import { once } from 'node:events'

import { expect, test } from 'vitest'
import * as vite8 from 'vite'
import * as vite7 from 'vite7'
import * as vite6 from 'vite6'

import { connect } from './support/client.js'
import { certificate } from './support/certificate.js'
import { atEnd, folder, serveVite, viteLogger } from './support/server.js'
import { switchboard } from 'vite-plugin-switchboard'

/** More than the buffers of the system take. */
const LARGE = 24 * 1024 * 1024

const options = {
  wsHandlers: [
    {
      pattern: '/large',
      maxPayload: LARGE,
      outbound: { maxBytes: 2 * LARGE },
      onMessage: (connection: any) => connection.send(Buffer.alloc(LARGE, 7)),
    },
  ],
}

const versions = [vite8, vite7, vite6].map((vite) => vite as unknown as typeof vite8)
const cases = versions.flatMap((vite) => ['http', 'https'].map((scheme) => [vite.version, scheme, vite] as const))

/** Asks for the large reply and reads none of it until `goodbye` is under way. */
async function expectWhole(url: string, goodbye: () => Promise<unknown>, code: number): Promise<void> {
  const client = await connect(url, { maxPayload: LARGE, rejectUnauthorized: false })
  client.send('please')
  client.socket.pause()
  const transport = (client.socket as unknown as { _socket: NodeJS.ReadableStream })._socket
  // The reply has begun to come; all of it does not fit on the way.
  await once(transport, 'readable')
  const done = goodbye()
  await new Promise((resolve) => setImmediate(resolve))
  client.socket.resume()
  const reply = (await client.next()) as Buffer
  expect([reply.length, reply.equals(Buffer.alloc(LARGE, 7))]).toEqual([LARGE, true])
  expect((await client.ended).code).toBe(code)
  await done
}

test.each(cases)('Vite %s over %s: at a restart without the plugin a waiting reply arrives whole, then 1012', async (_, scheme, vite) => {
  const { server, port } = await serveVite(options, { vite, server: scheme === 'https' ? { https: certificate } : {} })
  const url = `${scheme.replace('http', 'ws')}://127.0.0.1:${port}/api/large`
  const restart = (): Promise<void> => {
    server.config.inlineConfig.plugins = []
    return server.restart()
  }
  await expectWhole(url, restart, 1012)
})

test.each(cases)('Vite %s over %s: a reply that waits when it closes arrives whole, then 1001', async (_, scheme, vite) => {
  const { server, port } = await serveVite(options, { vite, server: scheme === 'https' ? { https: certificate } : {} })
  const url = `${scheme.replace('http', 'ws')}://127.0.0.1:${port}/api/large`
  await expectWhole(url, () => server.close(), 1001)
})

test.each(cases)('so it does from the preview of Vite %s over %s', async (_, scheme, vite) => {
  const server = await vite.preview({
    configFile: false,
    root: folder(),
    plugins: [switchboard(options)],
    customLogger: viteLogger([]),
    preview: { host: '127.0.0.1', port: 0, ...(scheme === 'https' && { https: certificate }) },
  })
  atEnd(() => server.close())
  const { port } = server.httpServer.address() as { port: number }
  const url = `${scheme.replace('http', 'ws')}://127.0.0.1:${port}/api/large`
  await expectWhole(url, () => server.close(), 1001)
})
