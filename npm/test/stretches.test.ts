/** A broadcast to very many is written in stretches: nobody else waits for all of it, and nobody can tell otherwise. */

import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'

import { expect, test } from 'vitest'
import { createSwitchboard, type Switchboard, type WebSocketConnection } from 'vite-plugin-switchboard'

import { handshake } from './support/client.js'
import { collect } from './support/server.js'

const MANY = 4000

/** A client without a network: what the server writes is there at once. */
class Client extends Duplex {
  received = Buffer.alloc(0)

  constructor(switchboard: Switchboard, path: string) {
    super({ emitClose: true })
    const [, ...lines] = handshake(path).trimEnd().split('\r\n')
    const rawHeaders = lines.flatMap((line) => line.split(': '))
    const request = { method: 'GET', httpVersion: '1.1', url: path, rawHeaders, headers: {}, socket: this }
    expect(switchboard.upgrade(request as unknown as IncomingMessage, this, Buffer.alloc(0))).toBe(true)
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: unknown, done: () => void): void {
    this.received = Buffer.concat([this.received, chunk])
    done()
  }

  /** Sends text of at most 125 bytes, masked with zeros. */
  say(text: string): void {
    this.push(Buffer.concat([Buffer.of(0x81, 0x80 | text.length, 0, 0, 0, 0), Buffer.from(text)]))
  }

  /** The frames that came, each as its opcode and its payload. */
  get frames(): string[] {
    const frames = []
    for (let rest = this.received; rest.length > 0; ) {
      const end = 2 + rest[1]!
      frames.push(`${rest[0]! & 15} ${rest.subarray(2, end).toString('latin1')}`)
      rest = rest.subarray(end)
    }
    return frames
  }
}

/** Many in one room, one beside it. */
async function gather(): Promise<{ switchboard: Switchboard; many: Client[]; connections: WebSocketConnection[]; one: Client }> {
  const connections: WebSocketConnection[] = []
  const switchboard = createSwitchboard({
    logger: collect([]),
    limits: { maxConnections: MANY + 1 },
    wsHandlers: [
      {
        pattern: '/room',
        parse: 'text',
        onConnect: (connection) => void connections.push(connection),
        onMessage: (connection, message) => connection.broadcast(message, { includeSelf: true }),
      },
      { pattern: '/echo', parse: 'text', onMessage: (connection, message) => connection.send(message) },
    ],
  })
  const one = new Client(switchboard, '/api/echo')
  const many = Array.from({ length: MANY }, () => new Client(switchboard, '/api/room'))
  await until(() => [one, ...many].every(({ received }) => received.length > 0) && connections.length === MANY)
  for (const client of [one, ...many]) client.received = Buffer.alloc(0)
  return { switchboard, many, connections, one }
}

function served(many: Client[], frames: number): number {
  return many.filter((client) => client.frames.length >= frames).length
}

async function until(isDone: () => boolean): Promise<void> {
  for (let rounds = 0; !isDone(); rounds++) {
    expect(rounds).toBeLessThan(1000)
    await setImmediate()
  }
}

test('an echo is answered in the middle of a wide broadcast', async () => {
  const { switchboard, many, connections, one } = await gather()
  many[0]!.say('all')
  await until(() => served(many, 1) > 0)
  expect(served(many, 1)).toBeLessThan(MANY)
  one.say('me')
  connections.at(-1)!.send('you')
  await until(() => one.frames.length > 0)
  expect(one.frames).toEqual(['1 me'])
  expect(many.at(-1)!.frames).toEqual(['1 all', '1 you'])
  expect(served(many, 1)).toBeLessThan(MANY)
  await until(() => served(many, 1) === MANY)
  await switchboard.close({ grace: 0 })
})

test('an answer does not wait for the broadcast that comes with it', async () => {
  const { switchboard, many, one } = await gather()
  many[0]!.say('all')
  one.say('me')
  await until(() => served(many, 1) > 0)
  expect(one.frames).toEqual(['1 me'])
  expect(served(many, 1)).toBeLessThan(MANY)
  await switchboard.close({ grace: 0 })
})

test('everyone gets everything once and in order, however much comes meanwhile', async () => {
  const { switchboard, many, connections } = await gather()
  many[0]!.say('a')
  await until(() => served(many, 1) > 0)
  for (const connection of connections) connection.send('b')
  many.at(-1)!.say('c')
  await setImmediate()
  many[0]!.say('d')
  await until(() => served(many, 4) === MANY)
  for (let rounds = 0; rounds < 20; rounds++) await setImmediate()
  expect(new Set(many.map(({ frames }) => frames.join()))).toEqual(new Set(['1 a,1 b,1 c,1 d']))
  await switchboard.close({ grace: 0 })
})

test('who begins to close gets first what was sent before', async () => {
  const { switchboard, many, connections } = await gather()
  many[0]!.say('a')
  await until(() => served(many, 1) > 0)
  const [last, dropped] = [many.at(-1)!, many.at(-2)!]
  expect(last.frames).toEqual([])
  void connections.at(-1)!.close(1000, 'bye')
  connections.at(-2)!.forceClose()
  await until(() => served(many, 1) === MANY && last.frames.length > 1)
  expect(last.frames).toEqual(['1 a', '8 \x03\xe8bye'])
  expect(dropped.frames).toEqual(['1 a'])
  await switchboard.close({ grace: 0 })
})

test.each([0, 60_000])('a server that closes within %i ms writes everything first', async (grace) => {
  const { switchboard, many, one } = await gather()
  many[0]!.say('a')
  await until(() => served(many, 1) > 0)
  const closed = switchboard.close({ code: 1001, reason: 'over', grace })
  await until(() => served(many, 2) === MANY)
  expect(new Set(many.map(({ frames }) => frames.join()))).toEqual(new Set(['1 a,8 \x03\xe9over']))
  for (const client of [...many, one]) client.destroy()
  await closed
})
