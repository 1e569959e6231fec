/** Servers with an inspector: both hosts, with the same configuration and token. */

import { copyFile, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Browser, Page } from 'playwright-core'
import { createServer, type ViteDevServer } from 'vite'
import { switchboard } from 'vite-plugin-switchboard'
import { vi } from 'vitest'
import { WebSocket } from 'ws'

import { CONTROL_TOKEN, startNative } from './native.js'

const CONFIG = fileURLToPath(new URL('../../../native/switchboard.toml', import.meta.url))

/** A server that is inspected. */
export interface Inspected {
  /** Such as `127.0.0.1:4004`. */
  address: string
  /** What a user opens. */
  page: string
  /** Where its configuration and its recordings are. */
  folder: string
  /** Has Vite restart, as a change of its configuration does. */
  restartByItself?(): Promise<void>
  /** Stops it and starts it again, at the same address. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** By name, how each host is started. */
export const hosts: Record<string, () => Promise<Inspected>> = { Vite: startVite, 'the native server': startNativeServer }

/** A folder with the configuration, as recordings are written beside it. */
async function configured(): Promise<{ folder: string; config: string }> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'switchboard-inspected-')))
  const config = join(folder, 'switchboard.toml')
  await copyFile(CONFIG, config)
  return { folder, config }
}

async function startNativeServer(): Promise<Inspected> {
  const { folder, config } = await configured()
  let native = await startNative('--config', config, '--watch', '--control')
  const { address } = native
  // The link comes after the address.
  const page = await vi.waitUntil(() => /http:\S+#token=\S+/.exec(native.printed())?.[0])
  return {
    address,
    page,
    folder,
    restart: async () => {
      await native.stop()
      native = await startNative('--config', config, '--watch', '--control', '--port', address.split(':')[1]!)
    },
    stop: async () => {
      await native.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startVite(): Promise<Inspected> {
  const { folder: root } = await configured()
  let vite: ViteDevServer = await listening(root, 0)
  const address = vite.httpServer!.address()
  if (address === null || typeof address !== 'object') throw new Error('Vite listens nowhere')
  const { port } = address
  return {
    address: `127.0.0.1:${port}`,
    page: `http://127.0.0.1:${port}/__switchboard/`,
    folder: root,
    restartByItself: () => vite.restart(),
    restart: async () => {
      await vite.close()
      vite = await listening(root, port)
    },
    stop: async () => {
      await vite.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

async function listening(root: string, port: number): Promise<ViteDevServer> {
  const vite = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [switchboard({ config: 'switchboard.toml', control: { token: CONTROL_TOKEN } })],
    server: { host: '127.0.0.1', port, strictPort: port !== 0 },
  })
  return vite.listen()
}

/** Fills in a dialog of the page and does what it asks for. */
export async function answer(page: Page, fields: Record<string, string>): Promise<void> {
  const dialog = page.locator('dialog')
  for (const [name, value] of Object.entries(fields)) {
    const field = dialog.locator(`[name=${name}]`)
    if ((await field.evaluate((element) => element.tagName)) === 'SELECT') await field.selectOption(value)
    else await field.fill(value)
  }
  await dialog.locator('form button:not([type=button])').click()
  await dialog.waitFor({ state: 'detached' })
}

/** A client that is not a page. */
export interface Client {
  socket: WebSocket
  received: string[]
  /** Resolves with the close code. */
  closed: Promise<number>
  say(message: unknown): void
}

/** Connects as a program. */
export async function client(address: string, path: string): Promise<Client> {
  const socket = new WebSocket(`ws://${address}${path}`)
  const received: string[] = []
  socket.on('message', (data) => received.push((data as Buffer).toString()))
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  return { socket, received, closed, say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)) }
}

/** Tries to connect, as a page of this origin if there is one, and gives back the status that it was answered. */
export async function refused(address: string, path: string, origin?: string): Promise<number> {
  const socket = new WebSocket(`ws://${address}${path}`, { origin })
  return new Promise((resolve, reject) => {
    socket.on('error', () => {})
    socket.on('open', () => reject(new Error(`${path} opened`)))
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode!))
  })
}

/** Opens the inspector, and fails the test by `errors` if the page has any. */
export async function inspect(context: Awaited<ReturnType<Browser['newContext']>>, server: Inspected, view = 'frames'): Promise<{ page: Page; errors: string[] }> {
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message))
  page.on('console', (line) => /Content.Security.Policy/i.test(line.text()) && errors.push(line.text()))
  await page.goto(server.page)
  await page.locator('#link', { hasText: 'live' }).waitFor()
  if (view !== 'frames') await page.locator(`#views a[data-view=${view}]`).click()
  return { page, errors }
}
