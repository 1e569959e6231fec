/** Makes one module of a file of tests and all that it needs, for the interpreter of the native server. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { build, type Rolldown } from 'vite'

import type { served, written } from '../interpreter/run.js'
import type { Served } from '../interpreter/server.js'

const inside = (name: string): string => join(import.meta.dirname, '../interpreter', name)
const plugin = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href

/** What a module of a test's means there. */
const alias = [
  { find: /^vitest$/, replacement: inside('vitest.ts') },
  { find: /^(\.\/support|\.\.\/\.\.\/test\/support)\/server\.js$/, replacement: inside('server.ts') },
  { find: /^vite[67]?$/, replacement: inside('vite.ts') },
  { find: /^ws$/, replacement: inside('ws.ts') },
  { find: /^node:(events|http|net|timers\/promises|url|util)$/, replacement: inside('node.ts') },
]

/** A file of tests as a module. */
export interface Bundle {
  /** The tests' names, in order. */
  names: string[]
  /** What the test with a number serves; `undefined`: it ends without a server. */
  served(number: number): Promise<Served | undefined>
  /** Writes a handler file for the test to a folder. */
  write(folder: string, number: number, prefix: string): void
  /** Writes it anew, for the server that the test has started in place of its first one; `count` is how many it has had. */
  writeNext(folder: string, count: number, prefix: string): void
}

/** Makes it. `folder` is for what Node imports. */
export async function bundle(file: string, folder: string): Promise<Bundle> {
  const built = (await build({
    configFile: false,
    logLevel: 'silent',
    define: { 'import.meta.url': '"file:///tests.js"' },
    resolve: { alias: [...alias, { find: /^the-file-of-tests$/, replacement: file }] },
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      rolldownOptions: {
        input: inside('run.ts'),
        external: ['vite-plugin-switchboard'],
        preserveEntrySignatures: 'strict',
        treeshake: false,
        output: { format: 'es', codeSplitting: false },
      },
    },
  })) as Rolldown.RolldownOutput
  const { code } = built.output[0]
  const seen = join(folder, `${basename(file, '.ts')}.mjs`)
  writeFileSync(seen, code.replaceAll(/(from\s*)"vite-plugin-switchboard"/g, `$1${JSON.stringify(plugin)}`))
  const tests = await imported(seen)
  return {
    names: tests.written.map(({ title, given }) => named(title, given)),
    async served(number) {
      const { body, given } = tests.written[number]!
      const begun = tests.served()
      const ended = (async () => body(...given))().then(() => undefined, () => undefined)
      return Promise.race([begun, ended])
    },
    write(to, number, prefix) {
      mkdirSync(join(to, 'ws'), { recursive: true })
      writeFileSync(join(to, 'ws/_tests.js'), code)
      const run = `import { handlersOf } from './_tests.js'\nexport default await handlersOf(${number}, ${JSON.stringify(prefix)})\n`
      writeFileSync(join(to, 'ws/run.js'), run)
    },
    writeNext(to, count, prefix) {
      const run = `import { handlersOfNow } from './_tests.js'\n// ${count}\nexport default handlersOfNow(${JSON.stringify(prefix)})\n`
      writeFileSync(join(to, 'ws/run.js'), run)
    },
  }
}

async function imported(file: string): Promise<{ written: typeof written; served: typeof served }> {
  return import(/* @vite-ignore */ pathToFileURL(file).href)
}

/** A title with what it names, as vitest has it. */
function named(title: string, given: unknown[]): string {
  let at = 0
  return title.replaceAll(/%[sjo]/g, () => {
    const value = given[at++]
    return typeof value === 'string' ? value : typeof value === 'symbol' ? String(value) : (JSON.stringify(value) ?? String(value))
  })
}
