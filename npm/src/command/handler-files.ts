/** Handler files of the command: found, loaded, and loaded again when they change. */

import { readdirSync, statSync } from 'node:fs'
import { register } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { handlersOf, type Written } from '../files/exports.js'
import { findFiles, pathBelow } from '../files/find.js'
import { errorText } from '../values/error.js'
import { Exit } from './exit.js'

/** What may be imported by handler files, and is watched where it lies beside them. */
const MODULE = /\.(?:[cm]?[jt]s|json)$/

/** The package itself, for handler files in folders where it is not installed. */
const PACKAGE = new URL('../index.js', import.meta.url).href

let isHooked = false

/** The files that a list of globs and names means. */
export class HandlerFiles {
  readonly #globs: string[]
  readonly #root: string
  /** Of the modules: each loading has its own. */
  #version = 0

  constructor(globs: string[], root: string) {
    this.#globs = globs
    this.#root = root
  }

  /** Loads them anew, with what they import from files of the project. Throws what is wrong. */
  async load(): Promise<Written[]> {
    hook()
    this.#version++
    const written: Written[] = []
    for (const file of this.#find()) {
      const path = pathBelow(this.#root, file)
      expectRunnable(path)
      try {
        const module = (await import(`${pathToFileURL(file).href}?switchboard=${this.#version}`)) as Record<string, unknown>
        written.push(...handlersOf(module, path))
      } catch (error) {
        const text = errorText(error)
        throw new Exit(2, `error: ${text.startsWith(`${path}: `) ? text : `${path}: ${text}`}\n`)
      }
    }
    return written
  }

  /** They, and the modules beside them. */
  watched(): string[] {
    const folders = new Set(this.#find().map((file) => dirname(file)))
    const beside = [...folders].flatMap((folder) => readdirSync(folder).filter((name) => MODULE.test(name)).map((name) => join(folder, name)))
    return [...new Set([...this.#find(), ...beside])]
  }

  /** Names of files are taken as they are, and everything else as globs. */
  #find(): string[] {
    const isFile = (glob: string): boolean => statSync(resolve(this.#root, glob), { throwIfNoEntry: false })?.isFile() ?? false
    const named = this.#globs.filter(isFile).map((glob) => resolve(this.#root, glob))
    const globs = this.#globs.filter((glob) => !isFile(glob))
    const lost = globs.find((glob) => !glob.startsWith('!') && findFiles(glob, this.#root).length === 0)
    if (lost !== undefined) throw new Exit(2, `error: ${lost}: no such file, and no file matches it\n`)
    return [...new Set([...named, ...(globs.length > 0 ? findFiles(globs, this.#root) : [])])].sort()
  }
}

/** Says what to do where Node does not run TypeScript. */
function expectRunnable(path: string): void {
  if (!/\.[cm]?ts$/.test(path) || (process.features as { typescript?: unknown }).typescript) return
  throw new Exit(
    2,
    `error: ${path}: Node ${process.version} does not run TypeScript; use Node 22.18 or newer, write JavaScript, or serve it with Vite\n`,
  )
}

/** Has Node load files of the project anew, and find this package, whoever imports them. */
function hook(): void {
  if (isHooked) return
  isHooked = true
  register('./resolve-hook.js', { parentURL: import.meta.url, data: { ownPackage: PACKAGE } })
}
