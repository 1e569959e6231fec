/** What Switchboard does to the process it lives in. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

const run = promisify(execFile)

/** Runs a script beside the package, and gives back what it printed. A process that stays alive fails. */
async function script(text: string): Promise<string> {
  const folder = new URL('..', import.meta.url)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', text], { cwd: folder, timeout: 15_000 })
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
