/** A Vite project in a folder of its own, with the plugin installed. */

import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { expect } from 'vitest'
import * as vite8 from 'vite'
import * as vite7 from 'vite7'
import * as vite6 from 'vite6'

import { atEnd, folder, viteLogger } from './server.js'

const PACKAGE = join(import.meta.dirname, '../..')

/** The versions of Vite that the plugin is for. */
export const versions = [vite8, vite7, vite6].map((vite) => [vite.version, vite as unknown as typeof vite8] as const)

/** Writes `vite.config.mjs`: options of the plugin, and code before them. */
export function configuration(options: string, before = '', server = ''): string {
  return `import { switchboard } from 'vite-plugin-switchboard'
${before}
export default { plugins: [switchboard(${options})], server: { host: '127.0.0.1', port: 0, ${server} } }
`
}

/** A running development server, and its files. */
export class Project {
  readonly root = folder()
  /** When Vite's watcher last told of a file, in ms of `performance.now()`. */
  readonly #toldAt = new Map<string, number>()
  /** Vite's log. */
  readonly lines: string[] = []
  server!: vite8.ViteDevServer

  constructor() {
    mkdirSync(join(this.root, 'node_modules'))
    symlinkSync(PACKAGE, join(this.root, 'node_modules/vite-plugin-switchboard'), 'junction')
  }

  /** Writes a file before the server runs. */
  write(file: string, text: string): void {
    const path = join(this.root, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  /** Saves a file, as editors that write into it do, and waits until Vite's watcher has told of it. */
  async save(file: string, text: string): Promise<void> {
    await this.#untilWatched(file)
    await this.#told(file, () => this.write(file, text))
  }

  /** Saves a file, as editors that put a new one in its place do, and waits until Vite's watcher has told of it. */
  async replace(file: string, text: string): Promise<void> {
    await this.#untilWatched(file)
    await this.#told(file, () => {
      this.write(`${file}~`, text)
      renameSync(join(this.root, `${file}~`), join(this.root, file))
    })
  }

  /** Vite's watcher tells of a file's changes once in 50 ms, and of none that comes sooner. */
  async #untilWatched(file: string): Promise<void> {
    await delay(Math.max(0, (this.#toldAt.get(file) ?? 0) + 2 * 50 - performance.now()))
  }

  /**
   * Changes a file, and touches it again for as long as the watcher is silent: a change that comes while Vite
   * puts another watcher in place, or right behind an event that was late, is told of by nobody.
   */
  async #told(file: string, change: () => void): Promise<void> {
    const path = join(this.root, file)
    const told = (_event: string, changed: string): void => {
      if (changed === path) this.#toldAt.set(file, performance.now())
    }
    const before = this.#toldAt.get(file)
    change()
    for (let attempt = 0; attempt < 10; attempt++) {
      const { watcher } = this.server
      watcher.on('all', told)
      for (let waited = 0; waited < 1000 && this.#toldAt.get(file) === before; waited += 10) await delay(10)
      watcher.off('all', told)
      if (this.#toldAt.get(file) !== before) return
      utimesSync(path, new Date(), new Date())
    }
    throw new Error(`the watcher told nothing of ${file}, which was saved and then touched for ten seconds`)
  }

  remove(file: string): void {
    rmSync(join(this.root, file))
  }

  async start(vite: typeof vite8, options: vite8.InlineConfig = {}): Promise<void> {
    this.server = await vite.createServer({ root: this.root, customLogger: viteLogger(this.lines), ...options })
    atEnd(() => this.server.close())
    await this.server.listen()
  }

  get port(): number {
    return (this.server.httpServer!.address() as AddressInfo).port
  }

  /** `ws://…` of a path. */
  url(path: string): string {
    return `ws://127.0.0.1:${this.port}${path}`
  }

  /** Waits for a line of the log, and gives it. */
  async logged(text: string | RegExp): Promise<string> {
    const find = (): string | undefined =>
      this.lines.find((line) => (typeof text === 'string' ? line.includes(text) : text.test(line)))
    await expect
      .poll(find, { timeout: 10_000, interval: 10, message: `"${text}" was not logged` })
      .toBeDefined()
      .catch((error: Error) => {
        throw new Error(`${error.message}, but:\n${this.lines.join('\n')}`)
      })
    return find()!
  }

  /** Waits until Vite has restarted, by what `edit` does, and serves again. */
  async restarted(edit: () => unknown): Promise<void> {
    const before = this.server.httpServer
    await edit()
    await expect
      .poll(() => this.server.httpServer !== before && this.server.httpServer?.listening, { timeout: 10_000, interval: 10 })
      .toBe(true)
      .catch((error: Error) => {
        throw new Error(`${error.message}, but:\n${this.lines.join('\n')}`)
      })
  }

  /** Asks for a page. */
  get(path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      request({ port: this.port, host: '127.0.0.1', path }, (response) => resolve(response.resume().statusCode!))
        .on('error', reject)
        .end()
    })
  }
}
