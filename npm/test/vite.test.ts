/** The plugin in the development server of every Vite that is supported. */

import { expect, test } from 'vitest'
import * as vite8 from 'vite'
import * as vite7 from 'vite7'
import * as vite6 from 'vite6'
import { WebSocket } from 'ws'

import { connect, refusal } from './support/client.js'
import { serveVite, signal } from './support/server.js'

const versions = [vite8, vite7, vite6].map((vite) => [vite.version, vite as unknown as typeof vite8] as const)

test.each(versions)('Vite %s: a handler answers and hot updates live on the same port', async (_, vite) => {
  const closes = signal<[number, string]>()
  const server = await serveVite(
    {
      wsHandlers: [
        {
          pattern: '/ws/echo',
          onMessage: (connection, message) => connection.send(message),
          onClose: (_, code, reason) => closes.resolve([code, reason]),
        },
      ],
    },
    { vite },
  )
  const client = await connect(server.url('/api/ws/echo'))
  client.send({ a: [1, 'ü'] })
  expect(await client.json()).toEqual({ a: [1, 'ü'] })

  const page = new WebSocket(server.url('/'), 'vite-hmr')
  const first = await new Promise<string>((resolve) => page.once('message', (data) => resolve(data.toString())))
  expect(JSON.parse(first)).toEqual({ type: 'connected' })
  page.terminate()

  expect(await refusal(server.url('/api/nowhere'))).toBe(404)
  const line = server.lines.find((line) => line.includes('/api/nowhere'))
  expect(line).toContain('/api/ws/echo')

  await server.stop()
  expect(await client.ended).toEqual({ code: 1001, reason: '' })
  expect(await closes.promise).toEqual([1001, ''])
})
