import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createServer, type ViteDevServer } from 'vite'
import { afterAll, beforeAll } from 'vitest'

const npm = fileURLToPath(new URL('../..', import.meta.url))
const examples = join(npm, '../examples')

/** An example in Vite's development server, in a copy that a test may change. */
export class Example {
  private constructor(
    private readonly folder: string,
    private readonly vite: ViteDevServer,
    /** Such as `http://127.0.0.1:5173`. */
    readonly url: string,
  ) {}

  static async start(name: string): Promise<Example> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), `switchboard-${name}-`)))
    await cp(join(examples, name), folder, { recursive: true, filter: (path) => !path.includes('node_modules') })
    await mkdir(join(folder, 'node_modules'))
    await symlink(npm, join(folder, 'node_modules/vite-plugin-switchboard'), 'junction')
    for (const name of ['phoenix', 'vite']) {
      await symlink(join(npm, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
    }
    const vite = await createServer({
      root: folder,
      configFile: join(folder, 'vite.config.ts'),
      logLevel: 'warn',
      server: { host: '127.0.0.1', port: 0 },
    })
    await vite.listen()
    const address = vite.httpServer?.address()
    if (address === null || typeof address !== 'object') {
      throw new Error('Vite listens nowhere')
    }
    return new Example(folder, vite, `http://127.0.0.1:${address.port}`)
  }

  /** Saves a file of the example with one text replaced, as an editor would. */
  async edit(file: string, before: string, after: string): Promise<void> {
    const path = join(this.folder, file)
    const text = await readFile(path, 'utf8')
    if (!text.includes(before)) {
      throw new Error(`${file} does not contain ${before}`)
    }
    await writeFile(path, text.replace(before, after))
  }

  async stop(): Promise<void> {
    await this.vite.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** The folder of an example, which a test must not change. */
export function exampleFolder(name: string): string {
  return join(examples, name)
}

/** The file of the native server's configuration of an example. */
export function nativeConfiguration(name: string): string {
  return join(exampleFolder(name), 'switchboard.toml')
}

/** One example for the tests of a file. */
export function useExample(name: string): () => Example {
  let example: Example
  beforeAll(async () => {
    example = await Example.start(name)
  })
  afterAll(async () => {
    await example?.stop()
  })
  return () => example
}
