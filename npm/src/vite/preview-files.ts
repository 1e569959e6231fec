/** Handler files in `vite preview`, which has no environments that could load them. */

import type { ResolvedConfig } from 'vite'
import type { ModuleRunner } from 'vite/module-runner'

import { type Written, handlersOf } from '../files/exports.js'
import { findFiles, pathBelow } from '../files/find.js'

/** Handlers, and what has to stay for modules that they import later. */
interface Loaded {
  written: Written[]
  close(): Promise<void>
}

/** Loads handler files once, as a development server would. Throws what is wrong with them. */
export async function loadOnce(patterns: string | string[], config: ResolvedConfig): Promise<Loaded> {
  const { root, mode, inlineConfig, resolve, define } = config
  const files = findFiles(patterns, root)
  if (files.length === 0) return { written: [], close: () => Promise.resolve() }
  const { createServer } = await import('vite')
  const server = await createServer({
    configFile: false,
    root,
    mode,
    envDir: inlineConfig.envDir,
    logLevel: 'error',
    cacheDir: inlineConfig.cacheDir,
    resolve: { alias: resolve.alias },
    define,
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  })
  const { runner } = server.environments.ssr as typeof server.environments.ssr & { runner: ModuleRunner }
  const written: Written[] = []
  for (const file of files) {
    const path = pathBelow(root, file)
    try {
      written.push(...handlersOf((await runner.import(file)) as Record<string, unknown>, path))
    } catch (error) {
      await server.close()
      throw new Error(`[switchboard] ${path}: ${(error as Error).message}`, { cause: error })
    }
  }
  return { written, close: () => server.close() }
}
