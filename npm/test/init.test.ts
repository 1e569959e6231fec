/** `switchboard init`: in projects as create-vite makes them, and in folders without Vite. */

import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'
import * as vite from 'vite'

import { addPlugin } from '../src/command/init/vite-config.js'
import { connect } from './support/client.js'
import { finish, Program } from './support/command.js'
import { Project } from './support/project.js'

const CALL = "switchboard({ files: 'ws/**/*.ts' })"

const add = (text: string): string | undefined => addPlugin(text, 'vite-plugin-switchboard', "{ files: 'ws/**/*.ts' }")

test('the plugin is put into configurations of every usual form, and the rest stays as it is', () => {
  const cases: [before: string, after: string][] = [
    [
      "import { defineConfig } from 'vite'\nimport react from '@vitejs/plugin-react'\n\n// https://vite.dev/config/\nexport default defineConfig({\n  plugins: [react()],\n})\n",
      `import { defineConfig } from 'vite'\nimport react from '@vitejs/plugin-react'\nimport switchboard from 'vite-plugin-switchboard'\n\n// https://vite.dev/config/\nexport default defineConfig({\n  plugins: [react(), ${CALL}],\n})\n`,
    ],
    [
      'import { defineConfig } from "vite";\nimport vue from "@vitejs/plugin-vue";\nexport default defineConfig({\n  plugins: [\n    vue(),\n  ],\n});\n',
      `import { defineConfig } from "vite";\nimport vue from "@vitejs/plugin-vue";\nimport switchboard from "vite-plugin-switchboard";\nexport default defineConfig({\n  plugins: [\n    vue(),\n    ${CALL},\n  ],\n});\n`,
    ],
    [
      "import { defineConfig } from 'vite'\nexport default defineConfig({\n  server: { port: 3000 },\n})\n",
      `import { defineConfig } from 'vite'\nimport switchboard from 'vite-plugin-switchboard'\nexport default defineConfig({\n  plugins: [${CALL}],\n  server: { port: 3000 },\n})\n`,
    ],
    ['export default {}\n', `import switchboard from 'vite-plugin-switchboard'\n\nexport default {\n  plugins: [${CALL}],\n}\n`],
    ['export default { plugins: [] }\n', `import switchboard from 'vite-plugin-switchboard'\n\nexport default { plugins: [${CALL}] }\n`],
    [
      "import { defineConfig } from 'vite'\nexport default defineConfig(({ mode }) => {\n  const isTest = mode === 'test'\n  return { plugins: [a(isTest)] }\n})\n",
      `import { defineConfig } from 'vite'\nimport switchboard from 'vite-plugin-switchboard'\nexport default defineConfig(({ mode }) => {\n  const isTest = mode === 'test'\n  return { plugins: [a(isTest), ${CALL}] }\n})\n`,
    ],
    ['const config = { plugins: [a()] }\nexport default config\n', `import switchboard from 'vite-plugin-switchboard'\n\nconst config = { plugins: [a(), ${CALL}] }\nexport default config\n`],
  ]
  for (const [before, after] of cases) {
    expect(add(before)).toBe(after)
    expect(add(after)).toBe('present')
  }
})

test('what cannot be edited safely is left as it is', () => {
  for (const text of [
    'module.exports = { plugins: [] }\n',
    'export default defineConfig({ plugins: plugins() })\n',
    'export default mergeConfig(base, { plugins: [] })\n',
    'export default defineConfig({ ...base })\n',
    'export default defineConfig(({ mode }: ConfigEnv) => ({ plugins: [] }))\n',
    "export default defineConfig(({ command }) => {\n  if (command === 'build') return { plugins: [] }\n  return { plugins: [] }\n})\n",
    "import switchboard from './other'\nexport default { plugins: [switchboard()] }\n",
    'export default {',
  ]) {
    expect(add(text), text).toBe(undefined)
  }
})

/** A plugin of a framework, as far as it matters here. */
const FRAMEWORK = { 'package.json': '{"type":"module","exports":"./index.js"}', 'index.js': "export default () => ({ name: 'framework' })\n" }

const INDEX = '<!doctype html><title>app</title>'

const NODE_TYPES = '{\n  "compilerOptions": {\n    /* Linting */\n    "strict": true\n  },\n  "include": ["vite.config.ts"]\n}\n'

/** Projects as create-vite makes them. */
const SHAPES: [name: string, files: Record<string, string>, written: string[]][] = [
  [
    'vanilla',
    { 'package.json': '{\n  "name": "app",\n  "private": true,\n  "version": "0.0.0",\n  "type": "module",\n  "scripts": {\n    "dev": "vite"\n  },\n  "devDependencies": {\n    "vite": "^8.3.8"\n  }\n}\n' },
    ['created vite.config.js', 'created ws/chat.js'],
  ],
  [
    'vanilla-ts',
    {
      'package.json': '{\n  "name": "app",\n  "private": true,\n  "type": "module",\n  "devDependencies": {\n    "typescript": "~6.0.0",\n    "vite": "^8.3.8",\n    "vitest": "^4.1.12"\n  }\n}\n',
      'tsconfig.json': '{ "include": ["src"] }\n',
    },
    ['created vite.config.ts', 'created ws/chat.ts', 'created ws/chat.test.ts'],
  ],
  ...(['react', 'vue'] as const).map((name): [string, Record<string, string>, string[]] => [
    `${name}-ts`,
    {
      'package.json': `{\n\t"name": "app",\n\t"type": "module",\n\t"devDependencies": {\n\t\t"@vitejs/plugin-${name}": "^6.0.0",\n\t\t"typescript": "~6.0.0",\n\t\t"vite": "^8.3.8"\n\t}\n}\n`,
      'tsconfig.node.json': NODE_TYPES,
      'vite.config.ts': `import { defineConfig } from 'vite'\nimport framework from '@vitejs/plugin-${name}'\n\n// https://vite.dev/config/\nexport default defineConfig({\n  plugins: [framework()],\n})\n`,
      ...Object.fromEntries(Object.entries(FRAMEWORK).map(([file, text]) => [`node_modules/@vitejs/plugin-${name}/${file}`, text])),
    },
    ['changed vite.config.ts: the plugin', 'created ws/chat.ts', 'changed tsconfig.node.json: handlers are type-checked'],
  ]),
]

function filesOf(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
  return Object.fromEntries(names.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]))
}

test.for(SHAPES)('%s: it is set up, starts, and is set up once', { timeout: 60_000 }, async ([, files, written]) => {
  const project = new Project()
  symlinkSync(join(import.meta.dirname, '../node_modules/vite'), join(project.root, 'node_modules/vite'), 'junction')
  for (const [file, text] of Object.entries({ 'index.html': INDEX, ...files })) project.write(file, text)
  const first = await finish('none', ['init'], { cwd: project.root })
  expect(first.code, first.stderr).toBe(0)
  for (const line of written) expect(first.stdout).toContain(`${line}\n`)
  expect(first.stdout).toMatch(/changed package\.json: vite-plugin-switchboard \^\d[^]*\nNow: npm install, then npm run dev\n$/)
  const manifest = readFileSync(join(project.root, 'package.json'), 'utf8')
  expect(manifest.startsWith(files['package.json']!.slice(0, 10))).toBe(true)
  expect(JSON.parse(manifest).devDependencies['vite-plugin-switchboard']).toMatch(/^\^\d/)

  const before = filesOf(project.root)
  const second = await finish('none', ['init'], { cwd: project.root })
  expect(filesOf(project.root)).toEqual(before)
  expect(second.stdout).not.toMatch(/created|changed/)
  if ('vitest' in JSON.parse(manifest).devDependencies) expect(second.stdout).toBe('Nothing to do: Switchboard is there already.\n')

  await project.start(vite as never, { server: { host: '127.0.0.1', port: 0 } })
  const client = await connect(project.url('/api/ws/chat/general'))
  client.send({ text: 'Hello' })
  expect(await client.json()).toMatchObject({ text: 'Hello' })

  const test = written.find((line) => line.includes('.test.'))
  if (test !== undefined) {
    const { stdout, stderr } = await vitest(project.root)
    expect(stdout).toMatch(/Tests +1 passed \(1\)/)
    // The plugin has nothing to complain about.
    expect(stdout + stderr).not.toContain('[switchboard]')
  }
})

/** What Vitest says of the tests of a project. */
async function vitest(root: string): Promise<{ stdout: string; stderr: string }> {
  symlinkSync(join(import.meta.dirname, '../node_modules/vitest'), join(root, 'node_modules/vitest'), 'junction')
  // Not those of the Vitest that runs this.
  const { VITEST, VITEST_MODE, VITEST_POOL_ID, VITEST_WORKER_ID, NODE_ENV, ...environment } = process.env
  const program = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--no-color']
  const options = { cwd: root, env: { ...environment, NODE_OPTIONS: '--experimental-websocket' } }
  return await promisify(execFile)(process.execPath, program, options)
}

test('without Vite there is a configuration, and a script that serves it', async () => {
  const project = new Project()
  const first = await finish('none', ['init'], { cwd: project.root })
  expect(first.stdout).toBe('created switchboard.toml\ncreated package.json\n\nNow: npm install, then npm run sockets\n')
  expect((await finish('none', ['init'], { cwd: project.root })).stdout).toBe('Nothing to do: Switchboard is there already.\n')
  const { scripts } = JSON.parse(readFileSync(join(project.root, 'package.json'), 'utf8')) as { scripts: { sockets: string } }
  const [, ...words] = scripts.sockets.split(' ')
  const program = new Program('none', [...words, '--port', '0'], { cwd: project.root })
  const url = `ws://${await program.address()}/ws/chat/general`
  const [ann, ben] = [await connect(url), await connect(url)]
  // Ben is in the room when what Ann says comes to him.
  ann.send({ text: 'Hello' })
  expect(await ben.json()).toMatchObject({ text: 'Hello' })
})

test('mistakes', async () => {
  const project = new Project()
  project.write('package.json', '{ "name": ')
  expect(await finish('none', ['init'], { cwd: project.root })).toMatchObject({ code: 2, stderr: expect.stringContaining('package.json: not JSON') })
  expect(await finish('none', ['init', 'nowhere'], { cwd: project.root })).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no such folder') })
  expect(await finish('none', ['init', '--force'], { cwd: project.root })).toMatchObject({ code: 2, stderr: expect.stringContaining("unexpected argument '--force'") })
})
