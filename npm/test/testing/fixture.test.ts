/** `vite-plugin-switchboard/vitest`: a server for each test, and what fails tests at their end. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { beforeAll, describe } from 'vitest'
import { expect, serve, test } from 'vite-plugin-switchboard/vitest'

import { connect } from '../support/client.js'
import '../support/server.js'

test('each test has a server of its own', async ({ server }) => {
  expect(server.connections).toEqual([])
  const client = await connect(server.url('/chat'))
  client.send({ type: 'join' })
  await expect(server).toReceive({ type: 'join' })
  await expect(server).toHaveConnections(1)
})

let ports: number[] = []
for (const count of [1, 2]) {
  test(`another one ${count}`, ({ server }) => {
    ports.push(server.port)
    expect(new Set(ports).size).toBe(count)
    expect(server.received).toEqual([])
  })
}

const manual = test.extend({ serverOptions: { serve: { pattern: '/slow', delay: 5000, onMessage: (connection: any) => connection.send('done') }, clock: 'manual' as const } })

manual('its options can be chosen', async ({ server }) => {
  const client = await connect(server.url('/slow'))
  client.send('?')
  await server.clock.advance('5s')
  expect(await client.next()).toBe('done')
})

test('there may be more of them', async ({ server }) => {
  await using other = await serve()
  expect(other.port).not.toBe(server.port)
})

interface Report {
  testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[]
}

describe('tests that fail on purpose', () => {
  const results = new Map<string, { status: string; message: string }>()

  beforeAll(async () => {
    const root = fileURLToPath(new URL('failing', import.meta.url))
    const cli = process.env.VITEST_CLI || fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
    const printed = await new Promise<string>((resolve) => {
      const environment = { PATH: process.env.PATH, HOME: process.env.HOME }
      execFile(process.execPath, [cli, 'run', '--root', root, '--reporter=json'], { cwd: root, env: environment }, (_, out, error) => resolve(out || error))
    })
    const report = JSON.parse(printed.slice(printed.indexOf('{'))) as Report
    for (const { title, status, failureMessages } of report.testResults[0]!.assertionResults) results.set(title, { status, message: failureMessages.join('\n---\n') })
  })

  function failure(title: string): string {
    const { status, message } = results.get(title)!
    expect(status).toBe('failed')
    return message
  }

  test('one that keeps the rules passes', () => expect(results.get('passes')).toEqual({ status: 'passed', message: '' }))

  test('a connection that is left', () => {
    expect(failure('leaves a connection')).toContain('1 connection is still open; close the client at the end of the test, or allow leftovers:\n  1. /chat?token=1, open')
  })

  test('another message: only that is told, and what came', () => {
    const message = failure('expects another message')
    expect(message).toContain("expect(connection).toReceive({ type: 'join' })\n\nNo unread message that matches was there or came within 50 ms.\nConnection: /chat, open\nReceived: 1 message\n  1. { type: 'hello' }")
    expect(message).not.toContain('still open')
    expect(message).toContain('fixture.failing.ts')
  })

  test('a handler that throws, with where', () => {
    const message = failure('has a handler that throws')
    expect(message).toContain('onMessage on /later threw TypeError: this is broken')
    expect(message).toMatch(/at .*failing\/handler\.ts:7:/)
  })

  test('messages that nobody read', () => {
    expect(failure('reads not everything')).toContain("1 message was not read:\n  1. /only: 'nobody reads this'")
  })

  test('a path that nothing serves', () => {
    expect(failure('connects where nothing is')).toContain('no connection on /only was opened within 100 ms\nConnections: none\nRefused: /onyl with 404')
  })
})
