/** The matchers, in the `expect` of Vitest and in that of Jest. */

import { expect as jestExpect } from 'expect'
import { expect as vitestExpect, test } from 'vitest'
import { matchers, serve as start, type Serves, type SwitchboardMatchers, type TestServer } from 'vite-plugin-switchboard/testing'

import { connect } from '../support/client.js'
import { atEnd } from '../support/server.js'

vitestExpect.extend(matchers)
jestExpect.extend(matchers as never)

/** For what does not come. */
const SHORT = { timeout: 100 }

type Expect = ((actual: unknown) => SwitchboardMatchers & { not: SwitchboardMatchers }) & Pick<typeof vitestExpect, 'any' | 'objectContaining' | 'stringContaining' | 'anything'>

/** What fails, without colours. */
async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => undefined, (thrown: Error) => thrown)
  vitestExpect(error).toBeInstanceOf(Error)
  return error!.message.replaceAll(/\u001b\[\d+m/g, '')
}

async function serve(what?: Serves): Promise<TestServer> {
  const server = await start(what, { timeout: 5000 })
  atEnd(() => server.close())
  return server
}

for (const [runner, expect] of [['Vitest', vitestExpect], ['Jest', jestExpect]] as unknown as [string, Expect][]) {
  test(`${runner}: toReceive reads the next message that matches`, async () => {
    const server = await serve()
    const client = await connect(server.url('/chat'))
    const connection = await server.connection()
    client.send({ type: 'join', at: 5 })
    client.send('a plain text')
    client.send('{"raw": true}')
    client.send(Buffer.from('bytes'))
    await expect(connection).toReceive({ type: 'join', at: expect.any(Number) })
    await expect(connection).toReceive('{"raw": true}')
    await expect(connection).toReceive(Buffer.from('bytes'))
    await expect(server).toReceive(expect.stringContaining('plain'))
    vitestExpect(await messageOf(expect(connection).toReceive({ type: 'join', at: expect.any(Number) }, SHORT))).toBe(
      [
        "expect(connection).toReceive({ type: 'join', at: Any<Number> })",
        '',
        'No unread message that matches was there or came within 100 ms.',
        'Connection: /chat, open',
        'Received: 4 messages',
        "  1. { type: 'join', at: 5 } (read)",
        "  2. 'a plain text' (read)",
        '  3. { raw: true } (read)',
        '  4. <Buffer 62 79 74 65 73> (read)',
      ].join('\n'),
    )
    vitestExpect(await messageOf(expect(connection).toReceive(undefined, { timeout: 1 }))).toContain('No unread message was there or came within 1 ms.')
    await expect(connection).not.toReceive('never', SHORT)
    client.send('more')
    vitestExpect(await messageOf(expect(connection).not.toReceive('more'))).toContain("expect(connection).not.toReceive('more')\n\nThis message that matches came: 'more'")
  })

  test(`${runner}: toHaveReceived and toHaveReceivedInOrder look at all that came`, async () => {
    const server = await serve()
    const [ada, bob] = [await connect(server.url('/ada')), await connect(server.url('/bob'))]
    const connection = await server.connection('/ada')
    ada.send({ step: 1 })
    ada.send({ step: 2, more: true })
    ada.send({ step: 3 })
    await connection.next({ step: 3 })
    await expect(connection).toHaveReceived({ step: 1 })
    await expect(connection).toHaveReceived(expect.objectContaining({ more: true }))
    await expect(connection).toHaveReceivedInOrder([{ step: 1 }, { step: 3 }])
    await expect(connection).not.toHaveReceived({ step: 4 })
    await expect(connection).not.toHaveReceivedInOrder([{ step: 3 }, { step: 1 }])
    vitestExpect(await messageOf(expect(connection).toHaveReceivedInOrder([{ step: 3 }, { step: 1 }], SHORT))).toContain(
      'Of 2 messages the first 1 came in this order within 100 ms; this one did not: { step: 1 }\nConnection: /ada, open\nReceived: 3 messages\n',
    )
    bob.send('late')
    await expect(server).toHaveReceived('late')
    vitestExpect(await messageOf(expect(server).toHaveReceived('never', SHORT))).toContain('Connections: 2\n  1. /ada, open\n  2. /bob, open\nReceived: 4 messages\n  1. 1 /ada: { step: 1 } (read)')
  })

  test(`${runner}: toReceiveNothingFor counts from now`, async () => {
    const server = await serve()
    const client = await connect(server.url('/chat'))
    const connection = await server.connection()
    client.send('before')
    await connection.next()
    await expect(connection).toReceiveNothingFor(20)
    client.send('again')
    vitestExpect(await messageOf(expect(server).toReceiveNothingFor('1s'))).toContain("A message came: 'again'")
    await expect(server).not.toReceiveNothingFor(1).then(() => vitestExpect.fail('it received nothing'), () => {})
  })

  test(`${runner}: toBeClosedWith and toHaveConnections wait for what is to come`, async () => {
    const server = await serve({ pattern: '/chat', onMessage: (connection) => connection.close(4001, 'enough') })
    const client = await connect(server.url('/chat'))
    const connection = await server.connection()
    await expect(server).toHaveConnections(1)
    vitestExpect(await messageOf(expect(server).toHaveConnections(2, SHORT))).toContain('expect(server).toHaveConnections(2)\n\n1 connection is open after 100 ms.\nConnections: 1\n  1. /chat, open')
    vitestExpect(await messageOf(expect(connection).toBeClosedWith(4001, undefined, SHORT))).toContain('It was not closed within 100 ms.')
    client.send('?')
    await expect(connection).toBeClosedWith(4001)
    await expect(connection).toBeClosedWith(4001, 'enough')
    await expect(server).toHaveConnections(0)
    await expect(server).not.toHaveConnections(1)
    vitestExpect(await messageOf(expect(connection).toBeClosedWith(1000))).toContain(
      'expect(connection).toBeClosedWith(1000)\n\nIt was closed with 4001 enough by the server.\nConnection: /chat, closed with 4001 enough by the server\nReceived: 1 message',
    )
  })

  test(`${runner}: what is no server is a mistake`, async () => {
    const server = await serve()
    vitestExpect(await messageOf(expect({}).toReceive('a'))).toContain('toReceive: expected a server of serve(), or a connection of it such as await server.connection(), got an object')
    vitestExpect(await messageOf(expect(server).toBeClosedWith(1000))).toContain('toBeClosedWith: expected a connection')
    await connect(server.url())
    vitestExpect(await messageOf(expect(await server.connection()).toHaveConnections(1))).toContain('toHaveConnections: expected a server')
  })
}
