/** What the log shows of handlers that throw: where it was, in the user's own files. */

import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'
import * as vite8 from 'vite'
import * as vite7 from 'vite7'
import * as vite6 from 'vite6'

import { connect, refusal } from './support/client.js'
import { folder, serve, serveVite } from './support/server.js'

const root = fileURLToPath(new URL('fixtures/throwing', import.meta.url))
const versions = [vite8, vite7, vite6].map((vite) => [vite.version, vite as unknown as typeof vite8] as const)

const errors = (lines: string[]): string[] => lines.filter((line) => line.startsWith('error ')).map((line) => line.slice('error '.length))

test.each(versions)('Vite %s: in the files that its configuration was bundled from', async (_, vite) => {
  const server = await serveVite({}, { vite, root, configFile: `${root}/vite.config.ts`, plugins: [], cacheDir: folder() })
  const client = await connect(server.url('/api/chat'))
  client.send({ text: 'Hello' })
  expect(await client.json()).toEqual({ type: 'error', message: "Cannot read properties of undefined (reading 'name')" })
  expect(await refusal(server.url('/api/chat?broken'))).toBe(500)
  const [thrown, rejected] = errors(server.lines)
  expect(thrown!.split('\n')).toEqual([
    "[switchboard] onMessage for /api/chat: Cannot read properties of undefined (reading 'name')",
    '    at greet (chat.ts:10:31)',
    expect.stringMatching(/^ {4}at (?:Object\.)?onMessage \(chat\.ts:22:26\)$/),
  ])
  expect(rejected!.split('\n')).toEqual([
    '[switchboard] authenticate for /api/chat failed: no database',
    expect.stringMatching(/^ {4}at (?:Object\.)?authenticate \(chat\.ts:17:40\)$/),
    '    caused by: the disk is full',
    expect.stringMatching(/^ {4}at (?:Object\.)?authenticate \(chat\.ts:17:74\)$/),
  ])
})

test('without Vite too, without the calls of Node and of the package', async () => {
  const server = await serve({
    pattern: '/',
    onMessage: async () => {
      await Promise.resolve()
      JSON.parse('{')
    },
  })
  const client = await connect(server.url('/api/'))
  client.send('x')
  await client.json()
  const [line] = errors(server.lines)
  const [first, ...calls] = line!.split('\n')
  expect(first).toMatch(/^\[switchboard\] onMessage for \/api\/: /)
  expect(calls.join('\n')).toContain('stack.test.ts:')
  expect(calls.join('\n')).not.toMatch(/dist\/|node:/)
})

test('what a client wrote makes no call of the stack', async () => {
  const server = await serve({ pattern: '/', onMessage: (_, message) => { throw new Error(message) } })
  const client = await connect(server.url('/api/'))
  client.send('boom\n    at forged (/etc/passwd:1:1)\n    at forged (/etc/passwd:1:1)')
  await client.json()
  const [line] = errors(server.lines)
  const [first, ...calls] = line!.split('\n')
  expect(first).toContain('boom\\n    at forged (/etc/passwd:1:1)\\n    at forged (/etc/passwd:1:1)')
  expect(calls.join()).toContain('stack.test.ts:')
  expect(calls.join()).not.toContain('forged')
})

test.each<[string, unknown]>([
  ['text', 'boom'],
  ['an object', { message: 'boom' }],
  ['nothing', undefined],
  ['an error without a stack', Object.defineProperty(new Error('boom'), 'stack', { value: undefined })],
  ['an error whose stack throws', Object.defineProperty(new Error('boom'), 'stack', { get: () => { throw new Error('no') } })],
])('%s that is thrown has no stack, and is one line', async (_, thrown) => {
  const server = await serve({ pattern: '/', onMessage: () => { throw thrown } })
  const client = await connect(server.url('/api/'))
  client.send('x')
  expect((await client.json()).type).toBe('error')
  await expect.poll(() => server.lines).toHaveLength(1)
  expect(server.lines[0]!.split('\n')).toHaveLength(1)
})

test.each([
  ['with colours', { FORCE_COLOR: '1', NO_COLOR: '' }, /^\x1b\[31m\[switchboard\] onMessage .*\x1b\[39m\n\x1b\[2m {4}at [^]*\x1b\[22m$/],
  ['without', { FORCE_COLOR: '', NO_COLOR: '1' }, /^\[switchboard\] onMessage [^\x1b]*$/],
])('Vite shows it %s', async (_, environment, expected) => {
  const before = { ...process.env }
  Object.assign(process.env, environment)
  try {
    const server = await serveVite({ wsHandlers: [{ pattern: '/', onMessage: () => { throw new Error('boom') } }] })
    const client = await connect(server.url('/api/'))
    client.send('x')
    await client.json()
    expect(errors(server.lines)[0]).toMatch(expected)
  } finally {
    process.env = before
  }
})
