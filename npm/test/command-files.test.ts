/** `switchboard serve FILES` on Node: handler files, loaded anew when they change. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { namedFiles, servesOnNode } from '../src/command/native.js'
import { connect, refusal } from './support/client.js'
import { finish, Program } from './support/command.js'
import { folder } from './support/server.js'

/** The program on Node. */
const NODE = 'none'

const CHAT = `import { defineHandler } from 'vite-plugin-switchboard'
import { say } from './_say.js'
export default defineHandler({ onMessage: (conn, data) => conn.send(say(data.text)) })
`

function project(files: Record<string, string>): string {
  const cwd = folder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), text)
  }
  return cwd
}

const says = (word: string): string => `export const say = (text) => ({ ${word}: text })\n`

test('an edit of a handler, or of what it imports, is live at once', async () => {
  const cwd = project({ 'package.json': '{"type":"module"}', 'ws/chat.js': CHAT, 'ws/_say.js': says('said') })
  const program = new Program(NODE, ['serve', 'ws/*.js', '--port', '0'], { cwd })
  const url = `ws://${await program.address()}`
  expect(program.stdout).toMatch(/\/api\/ws\/chat {2}callbacks\n/)
  const client = await connect(`${url}/api/ws/chat`)
  client.send({ text: 'a' })
  expect(await client.json()).toEqual({ said: 'a' })
  writeFileSync(join(cwd, 'ws/_say.js'), says('told'))
  program.child.kill('SIGHUP')
  await program.prints(/reloaded ws\/\*\.js: 1 route changed; 1 connection kept\n/, 'stderr')
  client.send({ text: 'b' })
  expect(await client.json()).toEqual({ told: 'b' })
  writeFileSync(join(cwd, 'ws/_say.js'), 'export const say = (')
  program.child.kill('SIGHUP')
  await program.prints(/ERROR ws\/chat\.js: .*; the configuration before serves on\n/, 'stderr')
  client.send({ text: 'c' })
  expect(await client.json()).toEqual({ told: 'c' })
})

test('with a prefix, and beside a configuration', async () => {
  const handler = "export const a = { pattern: '/a', onConnect: (conn) => conn.send('a') }\n"
  const cwd = project({ 'a.mjs': handler, 'b.toml': "[[routes]]\npattern = '/b'\ndialect = 'echo'" })
  const program = new Program(NODE, ['serve', 'a.mjs', '--prefix', '/x', '--config', 'b.toml', '--port', '0'], { cwd })
  const url = `ws://${await program.address()}`
  expect(await (await connect(`${url}/x/a`)).next()).toBe('a')
  expect(await refusal(`${url}/api/a`)).toBe(404)
  const echo = await connect(`${url}/b`)
  echo.send('hello')
  expect(await echo.next()).toBe('hello')
})

test('mistakes', { timeout: 60_000 }, async () => {
  const cwd = project({ 'wrong.mjs': 'export default { onMessage: 3 }', 'throws.mjs': "throw new Error('on purpose')", 'types.ts': 'export default {}' })
  const stderr = async (...words: string[]): Promise<string> => {
    const ended = await finish(NODE, ['serve', '--check', ...words], { cwd })
    expect(ended.code).toBe(2)
    return ended.stderr
  }
  expect(await stderr('nowhere/*.js')).toBe('error: nowhere/*.js: no such file, and no file matches it\n')
  expect(await stderr('wrong.mjs')).toContain('error: wrong.mjs: default.onMessage: expected a function, got')
  expect(await stderr('throws.mjs')).toBe('error: throws.mjs: on purpose\n')
  if (!(process.features as { typescript?: unknown }).typescript) {
    expect(await stderr('types.ts')).toContain('does not run TypeScript; use Node 22.18 or newer')
  }
})

test('what names handler files is told from the values of options', () => {
  for (const words of ['serve a.ts', 'serve --port 0 a.ts', 'serve a.ts --control', 'serve --port=0 a.ts', 'serve --control a.ts']) {
    expect(namedFiles(words.split(' ')), words).toEqual(['a.ts'])
  }
  for (const words of ['serve', 'serve --port 0', 'serve -c a.toml --watch', '--config a.toml', 'convert a b', 'serve --host h -p 1 --prefix /x']) {
    expect(namedFiles(words.split(' ')), words).toEqual([])
  }
})

test('the native program serves TypeScript where Node does not run it', () => {
  for (const [words, withTypes, without] of [
    ['serve ws/**/*.ts', true, false],
    ['serve a.js b.mts', true, false],
    ['serve ws/**/*.js', true, true],
    ['serve', false, false],
  ] as const) {
    expect([servesOnNode(words.split(' '), true), servesOnNode(words.split(' '), false)], words).toEqual([withTypes, without])
  }
})
