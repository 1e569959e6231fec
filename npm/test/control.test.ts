/** The control API: when it is on, who may ask, and that nobody else's requests are touched. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import * as vite8 from 'vite'
import * as vite6 from 'vite6'
import * as vite7 from 'vite7'
import { createSwitchboard, type SwitchboardPlugin, switchboard } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { atEnd, folder, serve, serveVite } from './support/server.js'

const PATH = '/__switchboard/api/v1'
const chat = { pattern: '/chat', onConnect: (connection: { joinRoom(room: string): void }) => connection.joinRoom('lobby') }

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: any
}

function ask(port: number, path: string, headers: Record<string, string> = {}, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => {
        const body = text.startsWith('{') ? JSON.parse(text) : text
        resolve({ status: response.statusCode!, headers: response.headers, body })
      })
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

for (const [name, vite] of Object.entries({ vite6, vite7, vite8 })) {
  test(`in development it is on, with a token that the plugin's api has: ${name}`, async () => {
    const plugin = switchboard({ wsHandlers: [chat] })
    expect(plugin.api.control).toBeUndefined()
    const { port, url, lines } = await serveVite({}, { vite: vite as never, plugins: [plugin] })
    const { path, token } = plugin.api.control!
    expect(path).toBe(PATH)
    const client = await connect(url('/api/chat'))
    const rooms = await ask(port, `${path}/rooms`, bearer(token))
    expect(rooms).toMatchObject({ status: 200, body: { rooms: [{ route: '/api/chat', room: 'lobby', members: 1 }] } })
    expect(rooms.headers['access-control-allow-origin'], 'CORS is closed').toBeUndefined()
    expect(await ask(port, `${path}/rooms`)).toMatchObject({ status: 401 })
    const page = { ...bearer(token), origin: 'http://localhost:1' }
    expect(await ask(port, `${path}/rooms`, page)).toMatchObject({ status: 403 })
    const events = await connect(url(`${path}/events?token=${token}&kinds=message`))
    expect(JSON.parse((await events.next()) as string)).toMatchObject({ type: 'subscribed' })
    await ask(port, `${path}/broadcast`, bearer(token), { route: '/chat', room: 'lobby', text: 'hi' })
    expect(await client.next()).toBe('hi')
    expect(JSON.parse((await events.next()) as string)).toMatchObject({ type: 'message', direction: 'out', text: 'hi' })
    expect(plugin.api.stats().connections, 'subscribers do not count').toBe(1)
    expect(lines.join('\n')).not.toContain(token)
  })
}

test('the rest of the server is as it was', async () => {
  const plugin = switchboard({ wsHandlers: [chat] })
  const { port } = await serveVite({}, { plugins: [plugin] })
  for (const path of ['/', '/__switchboard', '/__switchboard/api/v10', '/__switchboard/apis']) {
    expect((await ask(port, path)).status, path).not.toBe(401)
  }
})

test('where the option is written, Vite prints address and token', async () => {
  const { server, lines, port } = await serveVite({ wsHandlers: [chat], control: { token: 'a long token' } })
  server.printUrls()
  expect(lines.join('\n')).toContain(`control API: http://127.0.0.1:${port}${PATH} with the token a long token`)
})

test('it can be switched off, and is off elsewhere', async () => {
  const off = switchboard({ wsHandlers: [chat], control: false })
  const { port } = await serveVite({}, { plugins: [off] })
  expect(off.api.control).toBeUndefined()
  expect((await ask(port, `${PATH}/rooms`, bearer('x'))).status).not.toBe(401)
  const attached = await serve(chat as never)
  expect(attached.switchboard.control).toBeUndefined()
  expect(await ask(attached.port, `${PATH}/rooms`)).toMatchObject({ status: 200, body: 'http' })
})

test('attach has it where it is asked for, also with what is shown of connections', async () => {
  const { port, url, switchboard } = await serve({ ...chat, authenticate: () => ({ success: true, data: { user: 'ada' } }) } as never, {
    control: { reveal: true },
  })
  await connect(url('/api/chat?x=1'))
  const { token } = switchboard.control!
  const { body } = await ask(port, `${PATH}/connections`, bearer(token))
  expect(body.connections[0]).toMatchObject({ authData: { user: 'ada' }, query: 'x=1', address: '127.0.0.1' })
})

test('a preview has it only where it is asked for', async () => {
  for (const [control, status] of [[undefined, 200], [{ token: 'a long token' }, 401]] as const) {
    const root = folder()
    mkdirSync(join(root, 'dist'))
    writeFileSync(join(root, 'dist/index.html'), 'page')
    const plugins = [switchboard({ wsHandlers: [chat], control })]
    const server = await vite8.preview({ configFile: false, root, plugins, logLevel: 'silent', preview: { host: '127.0.0.1', port: 0 } })
    atEnd(() => server.close())
    const { port } = server.httpServer.address() as AddressInfo
    // Vite's own answer for a page that is not there is the page at the root.
    expect((await ask(port, `${PATH}/rooms`, { accept: 'text/html' })).status).toBe(status)
  }
})

test('a mistake in the option is named', () => {
  const wrong = (control: unknown) => () => createSwitchboard({ routes: [], wsHandlers: [chat as never], control: control as boolean })
  expect(wrong('yes')).toThrow("control: expected true, false or { token: '…' }, got text")
  expect(wrong({ tokn: 'x' })).toThrow('control.tokn: unknown key; known here are token, loopbackOnly, reveal')
  expect(wrong({ token: 'short' })).toThrow('control.token: expected a text of 8 characters or more')
})

test('the token outlives a restart of Vite, and the plugin is asked for it anew', async () => {
  const plugins: SwitchboardPlugin[] = []
  const { server, port } = await serveVite(
    {},
    {
      plugins: [(plugins[0] = switchboard({ wsHandlers: [chat] }))],
    },
  )
  const { token } = plugins[0]!.api.control!
  await server.restart()
  expect(plugins[0]!.api.control!.token).toBe(token)
  expect(await ask(port, `${PATH}/routes`, bearer(token))).toMatchObject({ status: 200 })
})
