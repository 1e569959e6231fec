/** The shortcut of Vite's terminal that opens the inspector, in a process of its own with what it takes for a terminal. */

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { atEnd, folder } from './support/server.js'

/** Starts Vite with the plugin; gives what it prints, and takes what is typed. `before` is code that runs before the shortcuts are bound. */
function start(vite: string, plugins: string, options = '') {
  const root = folder()
  const opened = join(root, 'opened')
  // Vite has Node run a browser whose name ends so, with the address.
  const browser = join(root, 'browser.js')
  writeFileSync(browser, `require('node:fs').writeFileSync(${JSON.stringify(opened)}, process.argv.at(-1))`)
  const program = `
    import { createServer } from ${JSON.stringify(vite)}
    import { switchboard } from 'vite-plugin-switchboard'
    process.stdin.isTTY = true
    const own = switchboard({ wsHandlers: [{ pattern: '/chat' }], ${options} })
    const server = await createServer({ configFile: false, root: ${JSON.stringify(root)}, plugins: [${plugins}], server: { host: '127.0.0.1', port: 0 } })
    await server.listen()
    server.printUrls()
    server.bindCLIShortcuts({ print: true })
    console.log('bound')
  `
  const { CI: _, ...environment } = process.env
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env: { ...environment, BROWSER: browser, NO_COLOR: '1' } })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk))
  atEnd(() => child.kill('SIGKILL'))
  return { printed: () => printed, type: (key: string) => child.stdin.write(`${key}\n`), opened: () => (existsSync(opened) ? readFileSync(opened, 'utf8') : '') }
}

const soon = { timeout: 15_000 }

test.each(['vite6', 'vite7', 'vite'])('i and Enter open the inspector: %s', async (vite) => {
  const { printed, type, opened } = start(vite, 'own')
  await expect.poll(printed, soon).toContain('bound')
  expect(printed()).toMatch(/inspector: http:\/\/127\.0\.0\.1:\d+\/__switchboard\/ \(press i \+ enter\)/)
  type('h')
  await expect.poll(printed, soon).toContain('press i + enter to open the inspector')
  // Vite's own are still there.
  expect(printed()).toContain('restart the server')
  type('i')
  await expect.poll(opened, soon).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/__switchboard\/$/)
}, 30_000)

test('it stays after a restart, and is not there without the inspector', async () => {
  const { printed, type, opened } = start('vite', 'own')
  await expect.poll(printed, soon).toContain('bound')
  type('r')
  await expect.poll(printed, soon).toContain('server restarted')
  type('i')
  await expect.poll(opened, soon).toMatch(/\/__switchboard\/$/)
  const without = start('vite', 'own', 'inspector: false')
  await expect.poll(without.printed, soon).toContain('bound')
  without.type('h')
  await expect.poll(without.printed, soon).toContain('restart the server')
  expect(without.printed()).not.toContain('inspector')
}, 60_000)

test.each(['own, other', 'other, own'])("a user's shortcut with the same key stays: %s", async (plugins) => {
  const other = `{ name: 'other', configureServer: (server) => () => server.bindCLIShortcuts({ customShortcuts: [{ key: 'i', description: 'do something else', action: () => console.log('something else') }] }) }`
  const { printed, type, opened } = start('vite', plugins.replace('other', other))
  await expect.poll(printed, soon).toContain('bound')
  type('i')
  await expect.poll(printed, soon).toContain('something else')
  expect(opened()).toBe('')
}, 30_000)
