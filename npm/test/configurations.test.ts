/** Every configuration of the repository starts in Vite as it does on the native server, unchanged. */

import { readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'
import * as vite8 from 'vite'
import * as vite7 from 'vite7'
import * as vite6 from 'vite6'
import { createSwitchboard } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { collect, folder, serve, serveVite } from './support/server.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const OTHERS = new Set(['node_modules', 'target', 'dist', 'generated', '.git'])

/** All files of this name below a folder. */
function find(name: string, below: string): string[] {
  return readdirSync(below, { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name)
    if (entry.isDirectory()) return OTHERS.has(entry.name) ? [] : find(name, path)
    return entry.name === name ? [path] : []
  })
}

const files = find('switchboard.toml', root).map((file) => relative(root, file))

test('they are found', () => {
  expect(files).toEqual(expect.arrayContaining([join('native', 'switchboard.toml'), join('examples', 'chat', 'switchboard.toml')]))
})

test.each(files)('%s', async (file) => {
  // The soak's proxy is told where its targets are.
  const environment = { ...process.env, SOAK_TARGETS: '1' }
  const server = await serveVite({ config: basename(file), environment }, { root: join(root, dirname(file)), cacheDir: folder() })
  // Rakit documents that every client may close the connections of others; the log says so.
  const expected = (line: string): boolean => line.startsWith('info') || line.includes('(commands.disconnect)')
  expect(server.lines.filter((line) => !expected(line))).toEqual([])
})

const versions = [vite8, vite7, vite6].map((vite) => [vite.version, vite as unknown as typeof vite8] as const)

test.each(versions)('in Vite %s, ${PORT} is where the sockets are served', async (_, vite) => {
  const server = await serveVite({ config: 'native/switchboard.toml', environment: { PORT: '1' } }, { root, vite, cacheDir: folder() })
  await expectProxied(server.url('/ws/proxy/echo'))
})

test('so it is on a server of one’s own, and with an own proxy', async () => {
  await expectProxied((await serve([], { config: join(root, 'native/switchboard.toml') })).url('/ws/proxy/echo'))
  const proxy = { url: 'ws://localhost:${PORT}/echo' }
  const routes = [{ pattern: '/echo', dialect: 'echo' as const }, { pattern: '/proxied', proxy }]
  const server = await serve([], { routes })
  const client = await connect(server.url('/proxied'))
  client.send('there and back')
  expect(await client.next()).toBe('there and back')
})

async function expectProxied(url: string): Promise<void> {
  const client = await connect(url)
  expect(await client.json()).toMatchObject({ type: 'proxy_connected', routeName: 'echo' })
  client.send('there and back')
  expect(await client.next()).toBe('there and back')
}

test('other variables come from the environment, or stop the start', async () => {
  const routes = [{ pattern: '/proxied', proxy: 'ws://${TARGET}:${PORT}/echo' }, { pattern: '/echo', dialect: 'echo' as const }]
  expect(() => createSwitchboard({ routes, environment: { PORT: '1' }, logger: collect([]) })).toThrow(
    'routes[0].proxy.url: there is no variable TARGET in the environment',
  )
  const server = await serve([], { routes, environment: { TARGET: 'localhost' } })
  const client = await connect(server.url('/proxied'))
  client.send('x')
  expect(await client.next()).toBe('x')
})

test('the files that a configuration names begin in its own folder', async () => {
  const at = folder()
  writeFileSync(join(at, 'kills.jsonl'), '{"id":1}\n')
  const feed = '[[feeds]]\nname = "killmails"\n[feeds.replay]\nfile = "kills.jsonl"\nevery = 10\nloop = true\n'
  writeFileSync(join(at, 'switchboard.toml'), `[[routes]]\npattern = "/"\ndialect = "actions"\n${feed}`)
  const server = await serveVite({ config: join(at, 'switchboard.toml') })
  const client = await connect(server.url('/'))
  client.send({ action: 'sub', channel: 'kills' })
  expect(await client.json()).toMatchObject({ action: 'kill', data: { id: 1 } })
})
