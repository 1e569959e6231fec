/** What Switchboard does to the process it lives in. */

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { certificate, expired, other } from './support/certificate.js'
import { folder } from './support/server.js'

const run = promisify(execFile)

/** Runs a script beside the package, and gives back what it printed. A process that stays alive fails. */
async function script(text: string, environment: Record<string, string> = {}): Promise<string> {
  const beside = new URL('..', import.meta.url)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', text], {
    cwd: beside,
    timeout: 15_000,
    env: { ...process.env, ...environment },
  })
  return stdout
}

test('it is loaded by its name, and keeps no process alive', async () => {
  const printed = await script(`
    import { createServer } from 'node:http'
    import { once } from 'node:events'
    import { WebSocket } from 'ws'
    import switchboard, { attach } from 'vite-plugin-switchboard'
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    attach(server, { wsHandlers: [{ pattern: '/', heartbeat: 30_000, inactivityTimeout: 60_000 }] })
    const client = new WebSocket('ws://127.0.0.1:' + server.address().port + '/api/')
    await once(client, 'open')
    client.terminate()
    server.close()
    console.log(switchboard().name)
  `)
  expect(printed).toBe('vite-plugin-switchboard\n')
})

test('connections to other servers keep no process alive', async () => {
  const printed = await script(`
    import { once } from 'node:events'
    import { WebSocketServer } from 'ws'
    import { createSwitchboard } from 'vite-plugin-switchboard'
    const other = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(other, 'listening')
    const url = 'ws://127.0.0.1:' + other.address().port
    createSwitchboard({ routes: [{ pattern: '/', dialect: 'actions' }], feeds: [{ name: 'killmails', upstream: { url } }] })
    const [socket] = await once(other, 'connection')
    socket._socket.unref()
    other._server.unref()
    console.log('connected')
  `)
  expect(printed).toBe('connected\n')
})

test('targets whose certificate has expired, or is for another name, are refused', async () => {
  const place = folder()
  for (const [name, { key, cert }, status] of [
    ['good', certificate, 101],
    ['expired', expired, 502],
    ['for another name', other, 502],
  ] as const) {
    const file = join(place, 'ca.pem')
    writeFileSync(file, cert)
    const printed = await script(
      `
      import { createServer } from 'node:http'
      import { createServer as createHttpsServer } from 'node:https'
      import { once } from 'node:events'
      import { WebSocket, WebSocketServer } from 'ws'
      import { attach } from 'vite-plugin-switchboard'
      const target = createHttpsServer(${JSON.stringify({ key, cert })}).listen(0, '127.0.0.1')
      await once(target, 'listening')
      new WebSocketServer({ server: target })
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const proxy = 'wss://localhost:' + target.address().port
      attach(server, { routes: [{ pattern: '/', proxy }], logLevel: 'silent' })
      const client = new WebSocket('ws://127.0.0.1:' + server.address().port + '/')
      client.on('open', () => { console.log(101); process.exit() })
      client.on('unexpected-response', (_, response) => { console.log(response.statusCode); process.exit() })
    `,
      { NODE_EXTRA_CA_CERTS: file },
    )
    expect(printed, name).toBe(`${status}\n`)
  }
})
