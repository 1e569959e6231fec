/** Handler files without Vite's development server. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'
import { loadHandlers, switchboard } from 'vite-plugin-switchboard'

import { patternOf } from '../src/files/pattern.js'
import { connect } from './support/client.js'
import { versions } from './support/project.js'
import { atEnd, folder, serve, viteLogger } from './support/server.js'

function files(texts: Record<string, string>): string {
  const root = folder()
  for (const [file, text] of Object.entries(texts)) {
    mkdirSync(join(root, file, '..'), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return root
}

test.each([
  ['ws/chat.ts', '/ws/chat'],
  ['ws/chat/[room].ts', '/ws/chat/{room}'],
  ['ws/[game]/[id]-[seat].js', '/ws/{game}/{id}-{seat}'],
  ['ws/index.ts', '/ws'],
  ['ws/chat/index.mts', '/ws/chat'],
  ['ws/files/[...rest].ts', '/ws/files/**'],
  ['ws/(public)/news.ts', '/ws/news'],
  ['../common/ws/a.b.ts', '/common/ws/a.b'],
  ['ws\\windows.ts', '/ws/windows'],
  ['index.ts', '/'],
])('the pattern of %s is %s', (file, pattern) => {
  expect(patternOf(file)).toBe(pattern)
})

test('attach takes what files export', async () => {
  const root = files({
    'ws/echo/[name].mjs': 'export default { onMessage: (conn, data) => conn.send([conn.req.params.name, data]) }',
    'ws/_library.mjs': 'throw new Error("imported by others only")',
  })
  const server = await serve(await loadHandlers('ws/**/*.mjs', { root }))
  const client = await connect(server.url('/api/ws/echo/ada'))
  client.send('hello')
  expect(await client.json()).toEqual(['ada', 'hello'])
})

test.each([
  ['nothing', {}, /no file matches ws\/\*\.mjs below/],
  ['a number', { 'ws/a.mjs': 'export default 1' }, /^ws\/a\.mjs: default: expected a handler or a list of handlers, got/],
  ['two without a pattern', { 'ws/a.mjs': 'export default [{}, {}]' }, /^ws\/a\.mjs: default\[0\] and default\[1\] have the same pattern \/ws\/a/],
  ['what throws', { 'ws/a.mjs': 'throw new Error("oh no")' }, /^ws\/a\.mjs: oh no$/],
] as const)('%s is refused', async (_, texts: Record<string, string>, message) => {
  await expect(loadHandlers('ws/*.mjs', { root: files(texts) })).rejects.toThrow(message)
})

describe.each(versions)('the preview of Vite %s', (_, vite) => {
  test('loads files once, in TypeScript', async () => {
    const root = files({
      'ws/echo.ts': "import { library } from '../library'\nexport default { onMessage: (conn: any, data: unknown) => conn.send(library + data) }",
      'library.ts': 'export const library: string = "echo "',
    })
    const server = await vite.preview({
      configFile: false,
      root,
      plugins: [switchboard({ files: './ws/**/*.ts' })],
      customLogger: viteLogger([]),
      preview: { host: '127.0.0.1', port: 0 },
    })
    atEnd(() => server.close())
    const { port } = server.httpServer.address() as { port: number }
    const client = await connect(`ws://127.0.0.1:${port}/api/ws/echo`)
    client.send('x')
    expect(await client.next()).toBe('echo x')
  })
})
