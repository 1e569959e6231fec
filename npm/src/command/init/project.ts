/** What is to be known of a project before something is added to it. */

import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { mistake } from '../exit.js'
import { systemError } from '../system-error.js'

/** The files that Vite reads its configuration from, in Vite's order. */
const CONFIGS = ['vite.config.js', 'vite.config.mjs', 'vite.config.ts', 'vite.config.cjs', 'vite.config.mts', 'vite.config.cts']

const LOCKS: [file: string, manager: string][] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
]

/** A project's `package.json`, as far as it matters here. */
export interface Manifest {
  type?: string
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

/** A project. */
export interface Project {
  folder: string
  /** `undefined`: there is no `package.json`. */
  manifest: Manifest | undefined
  hasVite: boolean
  hasVitest: boolean
  hasTypeScript: boolean
  /** The file of Vite's configuration. */
  config: string | undefined
  /** The package manager. */
  manager: string
}

/** Looks at a folder. Throws what is wrong with its `package.json`. */
export function inspect(folder: string): Project {
  if (!existsSync(folder)) throw mistake(folder, 'there is no such folder')
  const manifest = readManifest(folder)
  const packages = { ...manifest?.dependencies, ...manifest?.devDependencies }
  const config = CONFIGS.find((file) => existsSync(join(folder, file)))
  return {
    folder,
    manifest,
    hasVite: config !== undefined || 'vite' in packages,
    hasVitest: 'vitest' in packages,
    hasTypeScript: 'typescript' in packages || existsSync(join(folder, 'tsconfig.json')) || /ts$/.test(config ?? ''),
    config,
    manager: LOCKS.find(([file]) => existsSync(join(folder, file)))?.[1] ?? 'npm',
  }
}

function readManifest(folder: string): Manifest | undefined {
  const file = join(folder, 'package.json')
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw mistake(file, `cannot be read: ${systemError(error)}`)
  }
  try {
    return JSON.parse(text) as Manifest
  } catch (error) {
    throw mistake(file, `not JSON: ${(error as Error).message}`)
  }
}

/** A name for a project that has no `package.json`. */
export function nameFor(folder: string): string {
  return basename(folder).toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'sockets'
}
