/** The native program, which comes as a package of its own for each platform. */

import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'

/** What says which program runs: a path, or `none` for the one on Node. */
const VARIABLE = 'SWITCHBOARD_BINARY'

/** The packages by platform: with the GNU C library first, and with musl for the systems that have that one. */
const PACKAGES: Record<string, string[]> = {
  'darwin arm64': ['@switchboard-dev/cli-darwin-arm64'],
  'darwin x64': ['@switchboard-dev/cli-darwin-x64'],
  'linux arm64': ['@switchboard-dev/cli-linux-arm64-gnu', '@switchboard-dev/cli-linux-arm64-musl'],
  'linux x64': ['@switchboard-dev/cli-linux-x64-gnu', '@switchboard-dev/cli-linux-x64-musl'],
  'win32 x64': ['@switchboard-dev/cli-win32-x64'],
}

/** Signals that end or reload the program. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Where the native program is; `undefined`: there is none for this machine, or it was not installed. */
export function nativeProgram(): string | undefined {
  const chosen = process.env[VARIABLE]
  if (chosen) return chosen === 'none' ? undefined : chosen
  const { resolve } = createRequire(import.meta.url)
  const file = process.platform === 'win32' ? 'switchboard.exe' : 'switchboard'
  const found = (PACKAGES[`${process.platform} ${process.arch}`] ?? []).flatMap((name) => {
    try {
      return [resolve(`${name}/bin/${file}`)]
    } catch {
      return []
    }
  })
  // Package managers that do not know the field `libc` install both.
  return found.length > 1 && isMusl() ? found[1] : found[0]
}

/** The options of `serve` that have a value. */
const WITH_VALUE = ['-c', '--config', '--host', '-p', '--port', '--prefix']

/** The handler files, or globs for them, that are to be served. */
export function namedFiles([command, ...words]: string[]): string[] {
  if (command !== 'serve') return []
  return words.filter((word, index) => !word.startsWith('-') && !WITH_VALUE.includes(words[index - 1] ?? ''))
}

/**
 * Whether handler files are served on Node, where they may import packages of npm and Node's modules, also if there is a
 * native program. TypeScript is not before Node 22.18, which does not run it.
 */
export function servesOnNode(words: string[], runsTypeScript = Boolean((process.features as { typescript?: unknown }).typescript)): boolean {
  const files = namedFiles(words)
  return files.length > 0 && (runsTypeScript || !files.some((file) => /\.[cm]?ts$/.test(file)))
}

function isMusl(): boolean {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined
}

/** Runs it in place of this one: with its streams, and ends as it does. */
export function runNative(file: string, words: string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(file, words, { stdio: 'inherit' })
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        // A terminal's Ctrl-C reaches both, for which the program waits. Windows has nothing but that, and a signal that is
        // sent there ends the program at once.
        if (process.platform !== 'win32') child.kill(signal)
      })
    }
    child.on('error', (error) => {
      process.stderr.write(`error: ${file} cannot be run: ${error.message}\n`)
      process.exitCode = 1
      resolve()
    })
    child.on('exit', (code, signal) => {
      for (const signal of SIGNALS) process.removeAllListeners(signal)
      if (signal !== null) process.kill(process.pid, signal)
      else process.exitCode = code ?? 1
      resolve()
    })
  })
}
