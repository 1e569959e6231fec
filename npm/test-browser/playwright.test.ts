/** `vite-plugin-switchboard/playwright`, in Playwright's own runner. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { beforeAll, expect, test } from 'vitest'
import { freePort } from './support/free-port.js'

interface Report {
  suites: { specs: { title: string; tests: { results: { status: string; errors: { message?: string; stack?: string }[] }[] }[] }[] }[]
  errors: { message: string }[]
}

const results = new Map<string, { status: string; message: string }>()

beforeAll(async () => {
  const cli = fileURLToPath(new URL('../node_modules/@playwright/test/cli.js', import.meta.url))
  const config = fileURLToPath(new URL('fixture/playwright.config.ts', import.meta.url))
  const { NODE_OPTIONS: _, VITEST: __, SWITCHBOARD_CONTROL_TOKEN: ___, ...environment } = process.env
  const PORT = String(await freePort()) // for the Vite that Playwright starts
  const printed = await new Promise<string>((resolve) => {
    execFile(process.execPath, [cli, 'test', '--config', config], { env: { ...environment, PORT, FORCE_COLOR: '0' } }, (_, out, error) => resolve(out || error))
  })
  const report = JSON.parse(printed.slice(printed.indexOf('{'))) as Report
  expect(report.errors).toEqual([])
  for (const { title, tests } of report.suites.flatMap(({ specs }) => specs)) {
    const [result] = tests[0]!.results
    const message = result!.errors.map(({ message, stack }) => `${message}\n${stack}`).join('\n').replaceAll(/\u001b\[\d+m/g, '')
    results.set(title, { status: result!.status, message })
  }
})

for (const title of [
  'a page is told the URL',
  'the next test has the same server, as new',
  'sockets of the page itself are led to the server',
  'the page closes a socket that was led here, or leaves',
  'a refused opening never opens in the page',
  'a fault that the test adds meets the page',
  'the next test has Vite as new',
  'what is sent goes to the connection of the page',
  'a connection that is gone is not given',
  'without a reset only the faults of the test are taken back',
  'others are still there after it',
  'another token',
  'no token',
]) {
  test(title, () => expect(results.get(title)).toEqual({ status: 'passed', message: '' }))
}

test('a message that does not come, and what did', () => {
  const { status, message } = results.get('fails on purpose: another message')!
  expect(status).toBe('failed')
  expect(message).toContain("expect(server).toReceive({ type: 'join' })")
  expect(message).toContain("Received: 1 message\n  1. /chat: 'hello'")
})

test('a handler that throws fails the test, with where', () => {
  const { status, message } = results.get('fails on purpose: a handler throws')!
  expect(status).toBe('failed')
  expect(message).toContain('onConnect on /chat threw TypeError: this is broken')
  expect(message).toContain('server.page.ts')
})

test('a connection that does not open, and which did', () => {
  const { status, message } = results.get('fails on purpose: no connection')!
  expect(status).toBe('failed')
  expect(message).toContain('no connection on /api/other was opened within 200 ms; since the test began some opened on /api/echo/ada')
})
