/** Recordings: of routes that name a file, and those that are started while the server runs. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test, vi } from 'vitest'
import type { WebSocketConnection } from 'vite-plugin-switchboard'

import { connect } from './support/client.js'
import { folder, serve } from './support/server.js'

const echo = { onMessage: (conn: WebSocketConnection, message: unknown) => conn.send(message), subprotocols: ['*'] }

type Line = Record<string, any>

const lines = (file: string): Line[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line)
    : []

const types = (file: string): string[] => lines(file).map(({ type = 'header' }) => type)

test('a route is recorded as it happens, without secrets, in the form of the schema', async () => {
  const file = join(folder(), 'deep/er/session.jsonl')
  const server = await serve({ ...echo, pattern: '/chat', record: { file, mask: ['card \\d+'] } })
  const headers = { authorization: 'Bearer s3cr3t', cookie: 'sid=s3cr3t', 'x-api-key': 's3cr3t' }
  const client = await connect(server.url('/api/chat?token=s3cr3t&x=1'), { headers, protocols: ['base64url.bearer.phx.s3cr3t'] })
  client.send('{"a": {"password": "s3cr3t"}}')
  await client.next()
  client.send('card 12345 and Bearer s3cr3t')
  await client.next()
  client.send(Buffer.from([255, 0, ...Buffer.from('Bearer s3cr3t')]))
  await client.next()
  // Nothing has ended yet, and everything is there.
  await vi.waitFor(() => expect(types(file)).toEqual(['header', 'open', ...Array<string>(6).fill('message')]))
  client.socket.close(4000, 'token=s3cr3t')
  await vi.waitFor(() => expect(lines(file).at(-1)).toMatchObject({ type: 'close', by: 'client', code: 4000, reason: 'token=***' }))
  const text = readFileSync(file, 'utf8')
  expect(text).not.toMatch(/s3cr3t|12345/)
  expect(Buffer.from(lines(file)[6]!.binary, 'base64').toString('latin1')).toBe('ÿ\0Bearer ******')
  expect(lines(file)[1]).toMatchObject({ path: '/api/chat?token=***&x=1', status: 101, connection: 1, subprotocol: '***' })
  // The text of a message that is JSON stays as it is, white space too.
  expect(text).toContain('"from":"client","json":{"a": {"password": "***"}}}')
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../recording.schema.json'), 'utf8')) as object
  const fits = new Ajv2020({ formats: { double: true, uint64: true, uint16: true } }).compile(schema)
  for (const line of lines(file)) expect(fits(line), JSON.stringify([line, fits.errors])).toBe(true)
  expect(fits({ at: 1, connection: 1, type: 'message', from: 'client' })).toBe(false)
})

test('a file goes on behind a line that a crash has torn', async () => {
  const file = join(folder(), 'session.jsonl')
  writeFileSync(file, '{"at":1,"ty')
  const server = await serve({ ...echo, pattern: '/chat', record: file })
  await connect(server.url('/api/chat'))
  await vi.waitFor(() => expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(4))
  expect(JSON.parse(readFileSync(file, 'utf8').split('\n')[1]!)).toMatchObject({ switchboard: 'recording' })
})

test('recordings are started, and complete when they are stopped', async () => {
  const file = join(folder(), 'session.jsonl')
  const server = await serve({ ...echo, pattern: '/chat' })
  const { recordings } = server.switchboard
  const client = await connect(server.url('/api/chat'))
  const recording = recordings.start({ file, route: '/chat' })
  expect(() => recordings.start(file)).toThrow('is being recorded already')
  for (let count = 0; count < 100; count++) client.send('hello')
  for (let count = 0; count < 100; count++) await client.next()
  expect(await recording.stop()).toBe(true)
  expect(lines(file)).toHaveLength(202)
  expect(await recording.stop()).toBe(false)
  expect(server.switchboard.stats().recordingBytes).toBe(0)
  expect(() => recordings.start({ file, mask: ['('] })).toThrow('recordings.start: mask[0]: not a regular expression: unclosed group')
  expect(() => recordings.start({ file, mask: 'x' as never })).toThrow('expected a list of regular expressions as texts')
  expect(() => recordings.start({} as never)).toThrow('recordings.start: file: expected text')
})

test('a stopping server writes the ends of its connections', async () => {
  const file = join(folder(), 'session.jsonl')
  const server = await serve({ ...echo, pattern: '/chat', record: file })
  await connect(server.url('/api/chat'))
  await server.switchboard.close()
  expect(types(file)).toEqual(['header', 'open', 'close'])
})

test('a file that cannot be written ends the recording alone, and the log says so', async () => {
  const root = folder()
  writeFileSync(join(root, 'taken'), '')
  const file = join(root, 'taken/session.jsonl')
  const server = await serve({ ...echo, pattern: '/chat', record: file })
  const client = await connect(server.url('/api/chat'))
  for (let count = 0; count < 3; count++) {
    client.send('still here')
    expect(await client.next()).toBe('still here')
  }
  await vi.waitFor(() => expect(server.switchboard.stats().recordingBytes).toBe(0))
})

test('mistakes are told with their key', async () => {
  await expect(serve({ ...echo, pattern: '/chat', record: { fil: 'a' } as never })).rejects.toThrow('record.fil: unknown key; did you mean "file"?')
})
