/** What other listeners of the same server are shown, and what they are not. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'
import { attach } from 'vite-plugin-switchboard'

import { connect, refusal } from './support/client.js'
import { atEnd, collect } from './support/server.js'

test('an upgrade that is ours is shown to nobody else, until we are closed', async () => {
  const server = createServer()
  const shown: string[] = []
  server.on('upgrade', (request, socket) => {
    shown.push(request.url!)
    socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n')
  })
  const switchboard = attach(server, { wsHandlers: [{ pattern: '/' }], logger: collect([]) })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => void server.close())
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = await connect(`${url}/api/`)
  expect(await refusal(`${url}/api/unknown`)).toBe(404)
  expect(await refusal(`${url}/other`)).toBe(418)
  expect(shown).toEqual(['/other'])
  const closed = switchboard.close()
  expect((await client.ended).code).toBe(1001)
  await closed
  expect(await refusal(`${url}/api/`)).toBe(418)
  expect(shown).toEqual(['/other', '/api/'])
})

test('with several on one server each answers its own', async () => {
  const server = createServer()
  const boards = ['/a', '/b'].map((endpointPrefix) =>
    attach(server, { endpointPrefix, wsHandlers: [{ pattern: '/' }], logger: collect([]) }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => void server.close())
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  await connect(`${url}/a/`).then((client) => client.close())
  await boards[0]!.close()
  await connect(`${url}/b/`).then((client) => client.close())
  await boards[1]!.close()
  expect(server.listenerCount('upgrade')).toBe(0)
})
