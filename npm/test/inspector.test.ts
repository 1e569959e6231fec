/** The inspector: where it is served, to whom, and with what. */

import { request } from 'node:http'
import { request as encrypted } from 'node:https'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import * as vite8 from 'vite'
import * as vite6 from 'vite6'
import * as vite7 from 'vite7'
import { createSwitchboard, switchboard } from 'vite-plugin-switchboard'

import { certificate } from './support/certificate.js'
import { atEnd, folder, serve, serveVite } from './support/server.js'

const chat = { pattern: '/chat' }
const token = 'a long token'

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: string
}

function ask(port: number, path: string, headers: Record<string, string> = {}, https = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, agent: false as const, rejectUnauthorized: false }
    const sent = (https ? encrypted : request)(options, (response) => {
      let body = ''
      response.on('data', (chunk) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

for (const [name, vite] of Object.entries({ vite6, vite7, vite8 })) {
  test(`in Vite it is there by itself, with the token for its own page alone: ${name}`, async () => {
    const plugin = switchboard({ wsHandlers: [chat] })
    const { port, server, lines } = await serveVite({}, { vite: vite as never, plugins: [plugin] })
    server.printUrls()
    expect(lines.join('\n')).toContain(`inspector: http://127.0.0.1:${port}/__switchboard/`)
    const page = await ask(port, '/__switchboard/')
    expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
    expect(page.body).toContain('<script type="module" src="main.js">')
    expect(page.body, 'Vite’s client has no place in it').not.toContain('@vite/client')
    for (const file of ['main.js', 'style.css', 'try.js']) expect((await ask(port, `/__switchboard/${file}`)).status, file).toBe(200)
    const own = { 'sec-fetch-site': 'same-origin' }
    const start = await ask(port, '/__switchboard/start.json', own)
    expect(JSON.parse(start.body)).toEqual({ token: plugin.api.control!.token })
    expect(start.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
    })
    expect(start.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';.* frame-ancestors 'none'/)
    for (const headers of [
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'http://localhost:1' },
      { origin: 'null' },
      { host: 'evil.example', origin: 'http://evil.example' },
    ] as Record<string, string>[]) {
      for (const path of ['', 'start.json', 'main.js']) {
        const answer = await ask(port, `/__switchboard/${path}`, headers)
        expect(answer.status, `${path} ${JSON.stringify(headers)}`).toBe(403)
        expect(answer.body).not.toContain(plugin.api.control!.token)
      }
    }
  })
}

test('without a slash it leads to itself, and what it does not have is left to Vite', async () => {
  const { port } = await serveVite({ wsHandlers: [chat] })
  expect(await ask(port, '/__switchboard')).toMatchObject({ status: 302, headers: { location: '/__switchboard/' } })
  for (const path of ['/__switchboard/nothing.js', '/__switchboard/../package.json', '/__switchboard/%2e%2e/package.json', '/__switchboards']) {
    expect((await ask(port, path)).headers['content-security-policy'], path).toBeUndefined()
  }
})

test('over https, and where Vite has a base', async () => {
  const { port, server, lines } = await serveVite({ wsHandlers: [chat] }, { base: '/app/', server: { https: certificate } })
  server.printUrls()
  expect(lines.join('\n')).toContain(`inspector: https://127.0.0.1:${port}/__switchboard/`)
  expect(await ask(port, '/__switchboard/start.json', {}, true)).toMatchObject({ status: 200, body: expect.stringContaining('token') })
  expect(await ask(port, '/app/__switchboard/', {}, true)).toMatchObject({ status: 302, headers: { location: '/__switchboard/' } })
})

test('it is off with the control API, with inspector: false, and by default elsewhere', async () => {
  for (const options of [{ control: false }, { inspector: false }]) {
    const { port, server, lines } = await serveVite({ wsHandlers: [chat], ...options })
    server.printUrls()
    expect(lines.join('\n')).not.toContain('inspector')
    expect((await ask(port, '/__switchboard/main.js')).headers['content-security-policy']).toBeUndefined()
  }
  const { port } = await serve(chat as never, { control: { token } })
  expect((await ask(port, '/__switchboard/')).body).toBe('http')
})

test('attach has it where it is asked for', async () => {
  const { port } = await serve(chat as never, { control: { token }, inspector: true })
  expect((await ask(port, '/__switchboard/')).body).toContain('<title>Switchboard</title>')
  expect(await ask(port, '/__switchboard/start.json')).toMatchObject({ status: 200, body: JSON.stringify({ token }) })
})

test('a preview has it where it has the control API', async () => {
  const root = folder()
  mkdirSync(join(root, 'dist'))
  writeFileSync(join(root, 'dist/index.html'), 'page')
  const plugins = [switchboard({ wsHandlers: [chat], control: { token } })]
  const server = await vite8.preview({ configFile: false, root, plugins, logLevel: 'silent', preview: { host: '127.0.0.1', port: 0 } })
  atEnd(() => server.close())
  const { port } = server.httpServer.address() as AddressInfo
  expect((await ask(port, '/__switchboard/')).body).toContain('<title>Switchboard</title>')
})

test('it needs the control API', () => {
  expect(() => createSwitchboard({ routes: [], wsHandlers: [chat as never], inspector: true })).toThrow('inspector: it needs the control API; write control: true')
  expect(() => createSwitchboard({ routes: [], wsHandlers: [chat as never], inspector: 'yes' as never, control: true })).toThrow('inspector: expected true or false')
})

test('Vite DevTools shows it in a dock, and then pages of its own origin may frame it', async () => {
  const docks: unknown[] = []
  const devTools = { docks: { register: (dock: unknown) => docks.push(dock) } }
  const plugin = switchboard({ wsHandlers: [chat] })
  const { port } = await serveVite({}, { plugins: [plugin] })
  const ancestors = async () => /frame-ancestors [^;]+/.exec(String((await ask(port, '/__switchboard/')).headers['content-security-policy']))?.[0]
  expect(await ancestors()).toBe("frame-ancestors 'none'")
  plugin.devtools.setup(devTools)
  expect(docks).toEqual([{ id: 'switchboard', title: 'Switchboard', icon: expect.stringContaining('data:image/svg+xml,'), type: 'iframe', url: '/__switchboard/' }])
  expect(await ancestors()).toBe("frame-ancestors 'self'")
  for (const options of [{ inspector: false }, { control: false }, { disable: true }]) switchboard({ wsHandlers: [chat], ...options }).devtools.setup(devTools)
  expect(docks, 'not where the inspector is off').toHaveLength(1)
})
