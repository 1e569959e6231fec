/** The program `switchboard` as a process: the one on Node, and the native one where it has been built. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { atEnd, folder } from './server.js'

export const COMMAND = fileURLToPath(new URL('../../dist/command.js', import.meta.url))
const BUILT = fileURLToPath(new URL('../../../target/debug/switchboard', import.meta.url))

/** Where the native program is, if it has been built. */
export const NATIVE = [process.env.SWITCHBOARD_NATIVE, BUILT].find((file) => file !== undefined && existsSync(file))

/** The programs, each by its name and what `SWITCHBOARD_BINARY` is for it. */
export const PROGRAMS: [name: string, binary: string][] = [['on Node', 'none'], ...(NATIVE === undefined ? [] : [['native', NATIVE] as [string, string]])]

/** How a process ended, and what it printed. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** How a program is started. */
export interface Start {
  cwd?: string
  env?: Record<string, string>
  /** Instead of Node with the built command. */
  command?: string[]
  /** Whether it leads a process group, as what a terminal starts does. */
  isGroup?: boolean
}

/** A process. */
export class Program {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly #ended: Promise<Ended>
  #changed: (() => void) | undefined

  constructor(binary: string, words: string[], { cwd = folder(), env = {}, command = [process.execPath, COMMAND], isGroup = false }: Start = {}) {
    const { RUST_LOG: _, DEBUG: __, NODE_ENV: ___, ...inherited } = process.env
    const environment = { ...inherited, SWITCHBOARD_BINARY: binary, ...env }
    const [file, ...first] = command as [string, ...string[]]
    this.child = spawn(file, [...first, ...words], { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: isGroup })
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]!.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text
        this.#changed?.()
      })
    }
    this.#ended = once(this.child, 'close').then(([code]) => ({ code, stdout: this.stdout, stderr: this.stderr }))
    void this.#ended.then(() => this.#changed?.())
    atEnd(async () => {
      if (this.child.exitCode === null) this.child.kill('SIGTERM')
      const timer = setTimeout(() => (isGroup ? process.kill(-this.child.pid!, 'SIGKILL') : this.child.kill('SIGKILL')), 5000)
      await this.#ended
      clearTimeout(timer)
    })
  }

  ended(): Promise<Ended> {
    return this.#ended
  }

  /** What matches in the output, as soon as it is there. */
  async prints(pattern: RegExp, where: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this[where])
      if (found) return found
      if (this.child.exitCode !== null) throw new Error(`the program has ended: ${this.stdout}${this.stderr}`)
      await new Promise<void>((resolve) => (this.#changed = resolve))
    }
  }

  /** Where it listens, `127.0.0.1:4004`, when all of its listing is there. */
  async address(): Promise<string> {
    await this.prints(/\n {2}(?:Try them all|See and steer)[^\n]*\n/)
    return /listens on https?:\/\/(\S+)/.exec(this.stdout)![1]!
  }
}

/** Runs it to its end. */
export function finish(binary: string, words: string[], options?: Start): Promise<Ended> {
  return new Program(binary, words, options).ended()
}
