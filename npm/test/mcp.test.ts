/** The MCP server, as a client of the official SDK sees it. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { join } from 'node:path'

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'

import { connect } from './support/client.js'
import { atEnd, folder, serve } from './support/server.js'

const PACKAGE = join(import.meta.dirname, '..')
const COMMAND = join(PACKAGE, 'dist/command.js')
const TOKEN = 'a long token'

const chat = {
  pattern: '/chat/{room}',
  onConnect: (connection: any, { params }: any) => connection.joinRoom(params.room),
  onMessage: (connection: any, message: any) => connection.send({ got: message }),
}

async function start() {
  const server = await serve(chat as never, { control: { token: TOKEN }, feeds: [{ name: 'news/today' }], recordings: folder() })
  const agent = await launch([`http://127.0.0.1:${server.port}`], { SWITCHBOARD_CONTROL_TOKEN: TOKEN })
  // From its answer on, every event is kept.
  expect((await agent.use('events')).since).toBeGreaterThan(0)
  return { server, ...agent }
}

/** Starts the MCP server, and a client that talks to it. */
async function launch(given: string[], env: Record<string, string> = {}) {
  const transport = new StdioClientTransport({ command: process.execPath, args: [COMMAND, 'mcp', ...given], env, stderr: 'pipe' })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transport)
  atEnd(() => client.close())
  // The SDK's client holds answers to the tools' output schemas once it has listed them.
  const { tools } = await client.listTools()
  const use = async (name: string, given: Record<string, unknown> = {}): Promise<any> => {
    const result = await client.callTool({ name, arguments: given })
    const [{ text }] = result.content as [{ text: string }]
    if (result.isError) throw new Error(text)
    expect(JSON.parse(text)).toEqual(result.structuredContent)
    return result.structuredContent
  }
  return { client, tools, use }
}

test('there is a tool for each operation, with schemas that stand alone', async () => {
  const { tools, use } = await start()
  const { default: document } = await import('../openapi.json', { with: { type: 'json' } })
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId))
  expect(tools.map(({ name }) => name)).toEqual(operations)
  for (const { name, description, inputSchema, outputSchema } of tools) {
    expect(description, name).toBeTruthy()
    for (const schema of [inputSchema, outputSchema]) new Ajv2020({ strictTypes: false }).compile(schema!)
  }
  const { inputSchema, annotations } = tools.find(({ name }) => name === 'publish')!
  expect(inputSchema).toMatchObject({ type: 'object', required: ['name', 'value'], additionalProperties: false })
  expect(annotations!.readOnlyHint).toBe(false)
  const faults = new Ajv2020({ strict: false }).compile(tools.find(({ name }) => name === 'addFaults')!.inputSchema)
  expect(faults({ everyone: true, faults: [{ on: 'send', latency: { max: 5 } }] })).toBe(true)
  expect(faults({ everyone: true, faults: [{ on: 'sent' }] })).toBe(false)

  const reads = tools.filter(({ annotations, inputSchema }) => annotations!.readOnlyHint && !inputSchema.required?.length)
  expect(reads.map(({ name }) => name)).toEqual(['server', 'routes', 'connections', 'rooms', 'presence', 'stats', 'feeds', 'faults', 'breakpoints', 'recordings', 'clock', 'events'])
  for (const { name } of reads) await use(name)
})

test('it shows what happens, and acts', async () => {
  const { server, use } = await start()
  const ada = await connect(server.url('/api/chat/one'))
  const { connections } = await use('connections', { room: 'one', route: '/chat/{room}', limit: 5 })
  const [{ id }] = connections
  expect(await use('connection', { id })).toMatchObject({ path: '/api/chat/one', rooms: ['one'] })

  ada.send({ n: 1 })
  expect(await ada.json()).toEqual({ got: { n: 1 } })
  const seen = await use('events', { kinds: ['message'], direction: 'out', contains: '"got"', connection: id, wait: 10_000 })
  expect(seen).toMatchObject({ forgotten: 0, events: [{ type: 'message', direction: 'out', text: '{"got":{"n":1}}' }] })
  expect((await use('events', { kinds: ['message'], limit: 1 })).events).toMatchObject([{ direction: 'out' }])
  const first = await use('events', { kinds: ['message'], after: 0, limit: 1 })
  expect(first.events).toMatchObject([{ direction: 'in', text: '{"n":1}' }])
  expect((await use('events', { kinds: ['message'], after: first.next, limit: 1 })).events).toMatchObject([{ direction: 'out' }])
  expect((await use('events', { after: seen.next, route: '/api/nothing' })).events).toEqual([])

  await use('startRecording', { name: 'agent.jsonl' })
  const recording = await use('recording', { name: 'agent.jsonl' })
  expect(recording.isCut).toBe(false)
  expect(JSON.parse(recording.text)).toMatchObject({ switchboard: 'recording', version: 1 })
  expect(await use('stopRecording', { name: 'agent.jsonl' })).toEqual({ count: 1 })

  expect(await use('send', { connection: id, json: { from: 'an agent' } })).toEqual({ count: 1 })
  expect(await ada.json()).toEqual({ from: 'an agent' })
  await use('broadcast', { route: '/chat/{room}', room: 'one', binary: 'AQI=' })
  expect(await ada.next()).toEqual(Buffer.from([1, 2]))
  expect(await use('publish', { name: 'news/today', value: { headline: 'x' } })).toEqual({ count: 0 })
  expect((await use('feed', { name: 'news/today' })).values).toMatchObject([{ value: { headline: 'x' } }])

  const { id: fault } = await use('addFaults', { route: '/chat/{room}', faults: { on: 'open', refuse: 503 } })
  await expect(connect(server.url('/api/chat/one'))).rejects.toThrow()
  expect((await use('events', { kinds: ['refused'], wait: 10_000 })).events).toMatchObject([{ status: 503 }])
  expect((await use('faults')).faults).toMatchObject([{ id: fault }])
  expect(await use('removeFaults', { id: String(fault) })).toEqual({ count: 1 })
  const bob = await connect(server.url('/api/chat/two'))
  expect(await use('clearFaults')).toEqual({ count: 0 })

  await use('close', { connection: id, code: 4001, reason: 'as asked' })
  expect(await ada.ended).toEqual({ code: 4001, reason: 'as asked' })
  await use('terminate', { route: '/chat/{room}', room: 'two' })
  expect((await bob.ended).code).toBe(1006)
  const eve = await connect(server.url('/api/chat/three'))
  await use('reset')
  expect((await eve.ended).code).toBe(1012)
})

test('what happened before it came is told, and once only', async () => {
  const server = await serve(chat as never, { control: { token: TOKEN } })
  const ada = await connect(server.url('/api/chat/one'))
  ada.send({ n: 1 })
  expect(await ada.json()).toEqual({ got: { n: 1 } })
  const { use } = await launch([`http://127.0.0.1:${server.port}`], { SWITCHBOARD_CONTROL_TOKEN: TOKEN })
  const directions = (await use('events', { kinds: ['message'] })).events.map((event: { direction: string }) => event.direction)
  expect(directions).toEqual(['in', 'out'])
  expect((await use('events', { kinds: ['opened'] })).events).toHaveLength(1)
  ada.send({ n: 2 })
  await use('events', { contains: '{"got":{"n":2}}', wait: 10_000 })
  expect((await use('events', { kinds: ['message'] })).events).toHaveLength(4)
})

test('what goes wrong can be read', async () => {
  const { server, client, use } = await start()
  await expect(use('send', { connection: 'x', text: 'y' })).rejects.toThrow('there is no connection "x"; it may have closed')
  await expect(use('connection')).rejects.toThrow('"connection" needs "id"')
  await expect(use('rooms', { rute: '/' })).rejects.toThrow('"rooms" takes no "rute"; it takes route, limit, after')
  await expect(use('rooms', { limit: 0 })).rejects.toThrow('limit: expected a number from 1 to 1000, got "0"')
  await expect(use('events', { limit: 0 })).rejects.toThrow('the arguments of "events": limit must be >= 1')
  await expect(client.callTool({ name: 'shout' })).rejects.toThrow('there is no tool "shout"; there are server, routes,')

  const stranger = await launch([`http://127.0.0.1:${server.port}`, '--token', 'another token'])
  for (const name of ['routes', 'events']) await expect(stranger.use(name)).rejects.toThrow('the token is wrong')
})

test('a server that is gone is told, and found again', async () => {
  const { server, use } = await start()
  const ada = await connect(server.url('/api/chat/one'))
  ada.send({ n: 1 })
  await use('events', { kinds: ['message'], wait: 10_000 })
  await server.stop()
  await expect(use('routes')).rejects.toThrow(`http://127.0.0.1:${server.port} does not answer`)
  const kept = await use('events', { kinds: ['message'] })
  expect(kept).toMatchObject({ since: null, events: [{ direction: 'in' }, { direction: 'out' }] })

  const { createServer } = await import('node:http')
  const { attach } = await import('vite-plugin-switchboard')
  const again = createServer()
  const switchboard = attach(again, { wsHandlers: [chat as never], control: { token: TOKEN } })
  atEnd(() => switchboard.close({ grace: 0 }).then(() => again.close()))
  again.listen(server.port, '127.0.0.1')
  await once(again, 'listening')
  await use('routes')
  const bob = await connect(server.url('/api/chat/one'))
  bob.send({ n: 2 })
  const found = await use('events', { contains: '"n":2', after: kept.next, wait: 10_000 })
  expect(found.events[0]).toMatchObject({ direction: 'in', text: '{"n":2}' })
  expect(found.since).toBeGreaterThan(0)
})

test('the oldest events make room', async () => {
  const { server, use } = await start()
  const ada = await connect(server.url('/api/chat/one'))
  for (let n = 0; n < 1200; n++) ada.send({ n })
  const { events, forgotten, next } = await use('events', { contains: '{"got":{"n":1199}}', wait: 10_000 })
  expect(events).toHaveLength(1)
  expect(forgotten).toBeGreaterThan(400)
  const { events: all } = await use('events', { after: 0, limit: 1000 })
  const rest = await use('events', { after: next - 1000, limit: 1000 })
  expect([all.length, rest.events.length]).toEqual([1000, 1000])
})

test('it ends when its input does, also with a server that does not answer', async () => {
  const { server } = await start()
  for (const port of [server.port, 1]) {
    const program = spawn(process.execPath, [COMMAND, 'mcp', `http://127.0.0.1:${port}`, '--token', TOKEN])
    atEnd(() => program.kill())
    const ask = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } } }
    program.stdin.write(`${JSON.stringify(ask)}\n`)
    const [answer] = await once(program.stdout, 'data')
    expect(JSON.parse(String(answer)).result.serverInfo.name).toBe('vite-plugin-switchboard')
    program.stdin.end()
    expect(await once(program, 'exit')).toEqual([0, null])
  }
})

/** Runs the program to its end. */
function run(command: string, given: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...given], { timeout: 15_000, env: {} }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

test('the command line says what to write', async () => {
  expect(await run(COMMAND, ['mcp', '--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: switchboard mcp [OPTIONS] [URL]') })
  const cases: [string[], string][] = [
    [['mcp', 'http://localhost:1', 'x'], '"x" is one more argument'],
    [['mcp', 'localhost:1'], '"localhost:1" is not the address of a server; write it like http://localhost:5173'],
    [['mcp', '--tokn', 'x'], "Unknown option '--tokn'"],
    [['mcp'], 'set SWITCHBOARD_CONTROL_TOKEN here and for the server, or give --token TOKEN'],
  ]
  for (const [given, told] of cases) {
    expect(await run(COMMAND, given)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(told) })
  }
})

test('without the SDK it says what to install', async () => {
  const alone = folder()
  for (const name of ['dist', 'package.json', 'openapi.json']) cpSync(join(PACKAGE, name), join(alone, name), { recursive: true })
  const result = await run(join(alone, 'dist/command.js'), ['mcp', '--token', TOKEN])
  expect(result).toEqual({
    code: 1,
    stdout: '',
    stderr: 'The MCP server needs the package @modelcontextprotocol/sdk: npm install --save-dev @modelcontextprotocol/sdk\n',
  })
})
