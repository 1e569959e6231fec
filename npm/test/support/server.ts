/** Servers for tests, each on a port of the system's choice; all are stopped after the test. */

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach } from 'vitest'
import * as vite8 from 'vite'
import {
  attach,
  type PluginOptions,
  switchboard,
  type Switchboard,
  type SwitchboardOptions,
  type WebSocketHandler,
} from 'vite-plugin-switchboard'

import { disconnectAll } from './client.js'

const stops: (() => unknown)[] = []

afterEach(async () => {
  disconnectAll()
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** Has something done after the test. */
export function atEnd(stop: () => unknown): void {
  stops.push(stop)
}

/** A running server. */
export interface Running {
  port: number
  /** `ws://…` of a path. */
  url(path: string): string
  /** The log lines so far. */
  lines: string[]
  stop(): Promise<void>
}

/** A plain HTTP server with these handlers below `/api`. */
export async function serve(
  handlers: WebSocketHandler | WebSocketHandler[],
  options: SwitchboardOptions = {},
): Promise<Running & { server: Server; switchboard: Switchboard }> {
  const lines: string[] = []
  const server = createHttpServer((_, response) => response.end('http'))
  const switchboard = attach(server, { wsHandlers: [handlers].flat(), logger: collect(lines), ...options })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const running = describe((server.address() as AddressInfo).port, lines, async () => {
    await switchboard.close({ grace: 0 })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { ...running, server, switchboard }
}

/** A Vite development server with the plugin. */
export async function serveVite(
  options: PluginOptions,
  { vite = vite8, ...config }: vite8.InlineConfig & { vite?: typeof vite8 } = {},
): Promise<Running & { server: vite8.ViteDevServer }> {
  const lines: string[] = []
  const server = await vite.createServer({
    configFile: false,
    root: folder(),
    plugins: [switchboard(options)],
    customLogger: viteLogger(lines),
    ...config,
    server: { host: '127.0.0.1', port: 0, strictPort: false, watch: null, ...config.server },
  })
  await server.listen()
  const { port } = server.httpServer!.address() as AddressInfo
  return { ...describe(port, lines, () => server.close()), server }
}

/** An empty folder that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'switchboard-'))
  atEnd(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Vite's logger, but into a list. */
export function viteLogger(lines: string[]): vite8.Logger {
  const { info, warn, error } = collect(lines)
  return {
    info,
    warn,
    warnOnce: warn,
    error,
    clearScreen: () => {},
    hasErrorLogged: () => false,
    hasWarned: false,
  }
}

/** A logger into a list. */
export function collect(lines: string[]): { info(line: string): void; warn(line: string): void; error(line: string): void } {
  return {
    info: (line) => void lines.push(`info ${line}`),
    warn: (line) => void lines.push(`warn ${line}`),
    error: (line) => void lines.push(`error ${line}`),
  }
}

/** A promise, and how to fulfil it. */
export function signal<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((fulfil) => (resolve = fulfil))
  return { promise, resolve }
}

function describe(port: number, lines: string[], close: () => Promise<void>): Running {
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= close())
  atEnd(stop)
  return { port, url: (path) => `ws://127.0.0.1:${port}${path}`, lines, stop }
}
