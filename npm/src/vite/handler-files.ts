/** Handler files in Vite: loaded by an environment of their own, and updated while it runs. */

import type { DevEnvironment, EnvironmentOptions, Plugin, ViteDevServer } from 'vite'
import type { ModuleRunner } from 'vite/module-runner'

import { type Written, handlersOf } from '../files/exports.js'
import { findFiles, globsOf, pathBelow } from '../files/find.js'
import type { Log } from '../log/log.js'
import { Problems } from './problems.js'

/** The environment's name, in Vite's configuration too. */
export const ENVIRONMENT = 'switchboard'

/** The environment. The package that has `defineHandler` is Node's to load, also where it is linked. */
export const settings = { consumer: 'server' as const, resolve: { external: ['vite-plugin-switchboard'] } }

/**
 * Gives the environment its own settings back where another plugin has replaced them. Vitest has every environment process all
 * modules, those of packages too, and what is CommonJS fails then.
 */
export function keepExternal(resolve: EnvironmentOptions['resolve']): void {
  const { external: present } = resolve ?? {}
  if (resolve === undefined || present === true) return
  const { external } = settings.resolve
  if (!external.every((name) => present?.includes(name))) Object.assign(resolve, { external, noExternal: [] })
}

/** A module of ours for each file: it imports the file, and accepts its updates. */
const ENTRY = 'virtual:switchboard/'

/** How long in ms a file may take to load before upgrades wait no longer for it. */
const PATIENCE = 10_000

/** Who uses the handlers. */
export interface Owner {
  /** Serves these from now on. Throws what is wrong with them; then nothing has changed. */
  serve(written: Written[]): void
  log: Log
}

type Take = (module: Record<string, unknown> | undefined) => void

/** A file, and who takes what it exports. */
interface Entry {
  file: string
  take: Take
}

/** The entries run as modules, which see this process's globals, but not what belongs to this module. */
const ENTRIES = Symbol.for('switchboard.handlerFiles')
const byId = ((globalThis as unknown as Record<symbol, Map<string, Entry>>)[ENTRIES] ??= new Map<string, Entry>())
let lastNumber = 0

/** What resolves and loads the entries: hooks of the plugin. */
export const entries = {
  resolveId: (id: string) => (byId.has(id) ? `\0${id}` : undefined),
  load: (id: string) => {
    const entry = byId.get(id.slice(1))
    return entry && codeOf(id.slice(1), entry.file)
  },
} satisfies Pick<Plugin, 'resolveId' | 'load'>

/** Accepting comes first: a file that cannot be loaded now may be later. */
function codeOf(id: string, path: string): string {
  const file = JSON.stringify(path)
  return (
    `const entry = globalThis[Symbol.for('switchboard.handlerFiles')].get(${JSON.stringify(id)})\n` +
    `if (import.meta.hot) import.meta.hot.accept(${file}, (module) => entry?.take(module))\n` +
    `entry?.take(await import(${file}))\n`
  )
}

/** The handler files of one server. */
export class HandlerFiles {
  readonly #server: ViteDevServer
  readonly #patterns: string[]
  readonly #owner: Owner
  readonly #problems: Problems
  /** What each file exported when it was last good, in the order of their paths. */
  #good = new Map<string, Written[]>()
  /** What failed while the runner took an update; it says so without the error. */
  #lastError: unknown
  /** The entries of all files that are there, by file. */
  readonly #entries = new Map<string, string>()
  /** Files that could not be loaded yet. Vite does not update what it has never seen. */
  readonly #unseen = new Set<string>()
  /** What was loaded first, to be taken together, so that the routes change once; later nothing is collected. */
  #first: Map<string, Record<string, unknown>> | undefined = new Map()
  #isOver = false

  /**
   * Throws for what is no glob. `before` are the files of the server that this one follows: what fails to load now stays
   * as it was there.
   */
  constructor(server: ViteDevServer, patterns: string | string[], owner: Owner, before?: HandlerFiles) {
    this.#server = server
    this.#patterns = globsOf(patterns)
    this.#owner = owner
    this.#problems = new Problems(server, owner.log)
    if (before) this.#good = new Map(before.#good)
  }

  /** All handlers of the files. */
  get written(): Written[] {
    return [...this.#good.keys()].sort().flatMap((file) => this.#good.get(file)!)
  }

  /**
   * Loads all files, and from then on those that appear, change and disappear. Resolves when the handlers are served;
   * what is wrong with one file is reported, and the others are served.
   */
  async load(): Promise<void> {
    const hmr = { logger: { debug: () => {}, error: (error: unknown) => this.#failed(error) } }
    // Vite's own way to say so needs Vite's own module, and plugins do not know which one runs them. Where this is not
    // understood, the runner only says more.
    Object.assign(this.#environment, { _runnerOptions: { hmr } })
    const { hmrClient } = this.#runner
    if (hmrClient) hmrClient.logger = hmr.logger
    this.#server.watcher.on('add', this.#look).on('unlink', this.#look).on('change', this.#retry)
    const files = findFiles(this.#patterns, this.#root)
    for (const file of this.#good.keys()) if (!files.includes(file)) this.#good.delete(file)
    if (files.length === 0) this.#problems.warn(`files: nothing matches ${this.#patterns.join(', ')} below ${this.#root}`)
    await Promise.all(files.map((file) => bounded(this.#import(file))))
    const first = this.#first!
    this.#first = undefined
    if (!this.#isOver) this.#takeAll(first)
  }

  /** Takes no more updates. */
  stop(): void {
    this.#isOver = true
    for (const id of this.#entries.values()) byId.delete(id)
    this.#server.watcher.off('add', this.#look).off('unlink', this.#look).off('change', this.#retry)
  }

  get #root(): string {
    return this.#server.config.root
  }

  get #environment(): DevEnvironment & { runner: ModuleRunner } {
    return this.#server.environments[ENVIRONMENT] as DevEnvironment & { runner: ModuleRunner }
  }

  get #runner(): ModuleRunner {
    return this.#environment.runner
  }

  async #import(file: string): Promise<void> {
    const id = this.#entries.get(file) ?? `${ENTRY}${pathBelow(this.#root, file).replaceAll('../', '')}/${++lastNumber}`
    this.#entries.set(file, id)
    byId.set(id, { file, take: (module) => this.#loaded(file, module) })
    try {
      await this.#runner.import(id)
      this.#unseen.delete(file)
    } catch (error) {
      // Whoever closes the server while it loads knows why.
      if (this.#isOver) return
      this.#unseen.add(file)
      this.#report(file, error)
    }
  }

  #loaded(file: string, module: Record<string, unknown> | undefined): void {
    if (this.#first && module) this.#first.set(file, module)
    else this.#take(file, module)
  }

  /** All at once, and if that cannot be served, one after another, to find out what is wrong. */
  #takeAll(modules: Map<string, Record<string, unknown>>): void {
    const before = new Map(this.#good)
    try {
      for (const [file, module] of modules) this.#good.set(file, handlersOf(module, pathBelow(this.#root, file)))
      this.#owner.serve(this.written)
      for (const [file] of modules) this.#warnIfEmpty(file)
    } catch {
      this.#good = before
      for (const [file, module] of modules) this.#take(file, module)
    }
  }

  /** A file was loaded, or, without a module, could not be. */
  #take(file: string, module: Record<string, unknown> | undefined): void {
    // A file that is gone cannot be loaded.
    if (this.#isOver || !this.#entries.has(file)) return
    if (module === undefined) {
      const error = this.#lastError ?? new Error('it could not be loaded')
      this.#lastError = undefined
      return this.#report(file, error)
    }
    const before = this.#good.get(file)
    try {
      this.#good.set(file, handlersOf(module, pathBelow(this.#root, file)))
      this.#owner.serve(this.written)
      this.#problems.solved(file)
      this.#warnIfEmpty(file)
    } catch (error) {
      if (before) this.#good.set(file, before)
      else this.#good.delete(file)
      this.#report(file, error)
    }
  }

  #warnIfEmpty(file: string): void {
    if (this.#good.get(file)?.length !== 0) return
    const path = pathBelow(this.#root, file)
    this.#problems.warn(`${path} exports no handler; write export default { onMessage(conn, data) { … } }, or begin its name with _`)
  }

  /** The runner could not take an update; what it cannot say is which file it was, which it says right after. */
  #failed(error: unknown): void {
    if (error instanceof Error) this.#lastError = error
  }

  #report(file: string, error: unknown): void {
    const path = pathBelow(this.#root, file)
    this.#problems.found(file, path, error, this.#good.has(file))
  }

  /** Files came or went. */
  readonly #look = (): void => {
    const files = new Set(findFiles(this.#patterns, this.#root))
    for (const file of [...this.#entries.keys()]) if (!files.has(file)) this.#forget(file)
    for (const file of files) if (!this.#entries.has(file)) void this.#import(file)
  }

  /** What changed may be why a file could not be loaded. */
  readonly #retry = (): void => {
    for (const file of this.#unseen) {
      this.#invalidate(file)
      void this.#import(file)
    }
  }

  #forget(file: string): void {
    this.#invalidate(file)
    byId.delete(this.#entries.get(file)!)
    this.#entries.delete(file)
    this.#unseen.delete(file)
    this.#problems.solved(file)
    if (!this.#good.delete(file)) return
    try {
      this.#owner.serve(this.written)
    } catch (error) {
      this.#report(file, error)
    }
  }

  /** Has it loaded anew when it is imported again. */
  #invalidate(file: string): void {
    const { moduleGraph, runner } = this.#environment
    for (const id of [`\0${this.#entries.get(file)}`, file]) {
      const [there, here] = [moduleGraph.getModuleById(id), runner.evaluatedModules.getModuleById(id)]
      if (there) moduleGraph.invalidateModule(there)
      if (here) runner.evaluatedModules.invalidateModule(here)
    }
  }
}

/** Waits for a file, but not for ever: it may wait for something itself. */
async function bounded(loading: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE)))
  await Promise.race([loading, late])
  clearTimeout(timer)
}
