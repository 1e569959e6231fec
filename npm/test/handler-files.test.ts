/** Handlers in files of their own: found, loaded, and updated while clients talk. */

import { execFile } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'

import { type Client, connect, refusal } from './support/client.js'
import { configuration, Project, versions } from './support/project.js'
import { serveVite } from './support/server.js'

/** For machines that do other things too. */
const PATIENT = { timeout: 10_000 }

/** A handler that says which version of itself and of its library answers, and how often it did on this connection. */
const answering = (version: string): string => `
import { library } from '../library'

export default {
  onConnect(conn: any) {
    conn.joinRoom('all')
  },
  onMessage(conn: any, data: unknown) {
    conn.metadata.count = (conn.metadata.count ?? 0) + 1
    conn.send(\`${version} \${library} \${data} \${conn.metadata.count} \${conn.getRooms()}\`)
  },
}
`

async function serve(vite: (typeof versions)[number][1], files: Record<string, string>, options = "{ files: 'ws/**/*.ts' }") {
  const project = new Project()
  project.write('vite.config.mjs', configuration(options))
  project.write('library.ts', 'export const library: string = "first"\n')
  for (const [file, text] of Object.entries(files)) project.write(file, text)
  await project.start(vite)
  return project
}

/** Asks until the answer begins with this, and gives it and how long that took in ms. */
async function until(client: Client, beginning: string): Promise<{ answer: string; ms: number }> {
  const start = performance.now()
  for (;;) {
    client.send('?')
    const answer = (await client.next()) as string
    const ms = performance.now() - start
    if (answer.startsWith(beginning)) return { answer, ms }
    if (ms > 10_000) throw new Error(`${beginning} did not come, but ${answer}`)
  }
}

describe.each(versions)('Vite %s', (_, vite) => {
  test('an edit is live at once, also of what a file imports, and the connection stays as it is', async () => {
    const project = await serve(vite, { 'ws/chat.ts': answering('one') })
    const client = await connect(project.url('/api/ws/chat'))
    client.send('hello')
    expect(await client.next()).toBe('one first hello 1 all')

    await project.save('ws/chat.ts', answering('two'))
    const first = await until(client, 'two first')
    await project.replace('ws/chat.ts', answering('three'))
    const second = await until(client, 'three first')
    await project.save('library.ts', 'export const library: string = "second"\n')
    const third = await until(client, 'three second')
    expect(third.answer.endsWith(' all')).toBe(true)
    const counts = [first, second, third].map(({ answer }) => Number(answer.split(' ')[3]))
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(project.lines.filter((line) => line.includes('restart'))).toEqual([])
  })

  test('the first upgrade waits until the files are loaded', async () => {
    const project = await serve(vite, {
      'ws/slow.ts': `await new Promise((resolve) => setTimeout(resolve, 500))\n${answering('slow')}`,
    })
    const client = await connect(project.url('/api/ws/slow'))
    client.send('hello')
    expect(await client.next()).toBe('slow first hello 1 all')
  })

  test('a mistake shows where it is, in the log and in pages, and what was before goes on', async () => {
    const project = await serve(vite, { 'ws/chat.ts': answering('one') })
    const client = await connect(project.url('/api/ws/chat'))
    // A page's channel, as a program that sends no origin may open it.
    const page = await connect(project.url('/'), { protocols: ['vite-hmr'] })
    expect(await page.json()).toEqual({ type: 'connected' })

    await project.save('ws/chat.ts', 'export default {\n  onMessage(conn { }\n}\n')
    const line = await project.logged('ws/chat.ts: Expected')
    expect(line).toContain('its handlers from before go on')
    expect(line).toContain('    at ws/chat.ts:2:18')
    expect(line).toMatch(/2 +[|│] +onMessage\(conn \{ \}/)
    expect(await page.json()).toEqual({ type: 'update', updates: [] })
    const { type, err } = await page.json()
    expect([type, err.loc.line, err.loc.column]).toEqual(['error', 2, 17])
    expect(err.message).toContain('ws/chat.ts: Expected')
    expect(err.frame).toContain('onMessage(conn { }')
    client.send('still there?')
    expect(await client.next()).toBe('one first still there? 1 all')

    await project.save('ws/chat.ts', answering('mended'))
    await until(client, 'mended first')
    expect(await page.json()).toEqual({ type: 'update', updates: [] })
    expect(page.rest).toEqual([])
  })

  test('a wrong option is a mistake too, with the file and the key', async () => {
    const project = await serve(vite, { 'ws/chat.ts': answering('one') })
    const client = await connect(project.url('/api/ws/chat'))
    await project.save('ws/chat.ts', 'export default { heartbaet: 1000, onMessage() {} }\n')
    await project.logged('ws/chat.ts: default.heartbaet: unknown key; did you mean "heartbeat"?; its handlers from before go on')
    client.send('still there?')
    expect(await client.next()).toBe('one first still there? 1 all')
  })

  test('a file that cannot be loaded at first is, once it can', async () => {
    const project = await serve(vite, { 'ws/chat.ts': answering('one'), 'ws/broken.ts': 'export default {{' })
    await project.logged('ws/broken.ts: ')
    const client = await connect(project.url('/api/ws/chat'))
    expect(await refusal(project.url('/api/ws/broken'))).toBe(404)
    await project.save('ws/broken.ts', answering('mended'))
    await expect.poll(() => connect(project.url('/api/ws/broken')).then(() => true, () => false), PATIENT).toBe(true)
    client.send('and?')
    expect(await client.next()).toBe('one first and? 1 all')
  })

  test('files come and go; who is on a route that is gone is told with 1012', async () => {
    const project = await serve(vite, { 'ws/chat.ts': answering('one') })
    const staying = await connect(project.url('/api/ws/chat'))
    await project.save('ws/rooms/[room]/index.ts', 'export default { onConnect: (conn: any, req: any) => conn.send(req.params) }\n')
    await expect.poll(() => connect(project.url('/api/ws/rooms/tea')).then(() => true, () => false), PATIENT).toBe(true)
    const leaving = await connect(project.url('/api/ws/rooms/tea'))
    expect(await leaving.json()).toEqual({ room: 'tea' })
    project.remove('ws/rooms/[room]/index.ts')
    const { code, reason } = await leaving.ended
    expect([code, reason]).toEqual([1012, 'The route was removed'])
    staying.send('and?')
    expect(await staying.next()).toBe('one first and? 1 all')
  })

  test('a file keeps its own state with import.meta.hot, and says goodbye', async () => {
    const counting = (version: string): string => `
const state = import.meta.hot!.data
state.loaded = (state.loaded ?? 0) + 1
import.meta.hot!.dispose((data) => (data.disposed = '${version}'))
export default { onMessage: (conn: any) => conn.send(\`${version} \${state.loaded} \${state.disposed} \${import.meta.env.MODE}\`) }
`
    const project = await serve(vite, { 'ws/chat.ts': counting('one') })
    const client = await connect(project.url('/api/ws/chat'))
    client.send('?')
    expect(await client.next()).toBe('one 1 undefined development')
    await project.save('ws/chat.ts', counting('two'))
    expect((await until(client, 'two')).answer).toBe('two 2 one development')
  })

  test('a call under way ends with the code that it began with, and the next begins with the new', async () => {
    const answers = (version: string): string => `export default {
  async onMessage(conn: any, data: unknown) {
    if (data === 'wait') await (globalThis as any).gate
    conn.send('${version} ' + data)
  },
}
`
    let open!: () => void
    ;(globalThis as any).gate = new Promise<void>((resolve) => (open = resolve))
    const project = await serve(vite, { 'ws/chat.ts': answers('one') })
    const client = await connect(project.url('/api/ws/chat'))
    client.send('wait')
    client.send('next')
    const other = await connect(project.url('/api/ws/chat'))
    await project.save('ws/chat.ts', answers('two'))
    await until(other, 'two')
    expect(client.rest).toEqual([])
    open()
    expect([await client.next(), await client.next()]).toEqual(['one wait', 'two next'])
    delete (globalThis as any).gate
  })
})

test('a default export may be a list, and other exports may be handlers', async () => {
  const handler = (text: string, pattern = ''): string => `{ ${pattern} onMessage: (conn: any) => conn.send('${text}') }`
  const project = await serve(versions[0]![1], {
    'ws/many.ts': `export default [${handler('a', "pattern: '/a',")}, ${handler('many')}]
export const other = ${handler('other', "pattern: '/other/{x}',")}
export const nothing = { a: 1 }
export function toBeTested() {}
`,
    'ws/_shared.ts': 'throw new Error("never loaded")',
    'ws/many.test.ts': 'throw new Error("never loaded")',
  })
  for (const [path, text] of [['/api/a', 'a'], ['/api/ws/many', 'many'], ['/api/other/1', 'other']] as const) {
    const client = await connect(project.url(path))
    client.send('?')
    expect(await client.next()).toBe(text)
  }
  expect(project.lines.filter((line) => line.startsWith('error'))).toEqual([])
})

test.each([1, ['']])('%j is no glob, which stops Vite', async (files) => {
  const started = serveVite({ files: files as string[] })
  await expect(started).rejects.toThrow("[switchboard] files: expected a glob such as 'ws/**/*.ts', got")
})

test('without handlers, a folder ws/ is mentioned', async () => {
  const project = await serve(versions[0]![1], { 'ws/chat.ts': answering('one') }, '{}')
  await project.logged("there is a folder ws/; to serve its files write switchboard({ files: 'ws/**/*.ts' })")
})

// In a process of its own: Vitest has its own idea of stacks.
test.each(['vite', 'vite7', 'vite6'])('%s: what a handler throws is shown at its line and column in TypeScript', async (vite) => {
  const project = new Project()
  project.write('vite.config.mjs', configuration("{ files: 'ws/**/*.ts' }"))
  project.write('ws/chat.ts', 'interface Unused {\n  a: string\n}\n\nexport default {\n  onConnect() {\n    throw new Error("oh no")\n  },\n}\n')
  const script = `
import { createServer } from ${JSON.stringify(import.meta.resolve(vite))}
import { WebSocket } from ${JSON.stringify(import.meta.resolve('ws'))}
const server = await createServer({ root: ${JSON.stringify(project.root)} })
await server.listen()
const socket = new WebSocket(\`ws://127.0.0.1:\${server.httpServer.address().port}/api/ws/chat\`)
socket.on('close', () => server.close())
socket.on('open', () => socket.close())
`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
  expect(`${stdout}${stderr}`).toContain('oh no\n    at Object.onConnect (ws/chat.ts:7:11)')
})
