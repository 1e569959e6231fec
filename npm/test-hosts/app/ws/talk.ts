// What happens between clients: every callback, in what order, and with what.

import { defineHandler, type WebSocketHandler } from 'vite-plugin-switchboard'

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Tells everyone on `/api/seen` what happened. */
const seen: WebSocketHandler = { pattern: '/seen', onConnect: (conn) => void (observer = conn) }
let observer: Parameters<NonNullable<WebSocketHandler['onConnect']>>[0] | undefined
const tell = (...what: unknown[]): void => void observer?.send(what)

const ordered = defineHandler({
  pattern: '/ordered',
  defaultRoom: 'lobby',
  async onConnect(conn) {
    await wait(20)
    conn.send('connected')
  },
  async onMessage(conn, data) {
    await wait(data.wait ?? 0)
    if (data.leave) conn.leaveRoom('lobby')
    if (data.join) conn.joinRoom(data.join)
    if (data.all) conn.broadcast(data.all, { includeSelf: true })
    if (data.others) conn.broadcast(data.others)
    if (data.rooms) conn.broadcast(data.rooms[0], { rooms: data.rooms.slice(1) })
    if (data.mine) conn.broadcastAllRooms(data.mine, true)
    if (data.close) await conn.close(...(data.close as [number, string]))
    if (data.close) tell('closed')
    if (data.force) conn.forceClose()
    if (data.ping) conn.ping(data.ping)
    if (data.done) conn.send({ done: data.done })
  },
  onPong: (conn, data) => conn.send({ pong: data.toString(), is: Buffer.isBuffer(data) }),
  onPing: (conn, data) => conn.pong(Buffer.concat([data, Buffer.from('!')])),
  onClose: (conn, code, reason, byClient) => tell('onClose', code, reason, byClient, conn.closed, conn.getRooms()),
})

const failing = defineHandler({
  pattern: '/failing',
  onConnect: (_, req) => {
    if (req.url?.includes('refuse')) throw new Error('not you')
  },
  async onMessage(_, how) {
    if (how === 'sync') throw new TypeError('thrown')
    if (how === 'text') throw 'a text'
    if (how === 'nothing') throw undefined
    await wait(1)
    if (how === 'async') throw new RangeError('rejected', { cause: new Error('why') })
    throw Object.assign(Object.create(null), { no: 'text' })
  },
  onClose: (_, code) => tell('failing', code),
})

const taking = defineHandler({
  pattern: '/taking',
  onMessage: (_, how) => {
    throw how === 'error' ? new RangeError('mine') : how
  },
  onError: (conn, error) => conn.send([error instanceof Error, error.name, error.message, error.cause]),
})

const raw: WebSocketHandler[] = (['json', 'text', 'none'] as const).map((parse) => ({
  pattern: `/raw/${parse}`,
  parse,
  onMessage: (conn, data) => conn.send([typeof data, Buffer.isBuffer(data), Buffer.isBuffer(data) ? data.toString('hex') : data]),
}))

const transform = defineHandler({
  pattern: '/transform',
  transformRawData: async (data) => {
    if (data.length === 0) throw new Error('empty')
    return { length: data.length, is: Buffer.isBuffer(data) }
  },
  responses: [
    { match: async (_, { length }) => length === 1, response: (_, message) => message },
    { match: (_, { length }) => length === 2, response: { two: true }, broadcast: { includeSelf: true } },
    { match: (_, { length }) => length === 3, response: undefined },
    { match: () => false, response: 'never' },
  ],
  onMessage: (conn, message) => conn.send(['other', message]),
})

const schema = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: async (value: any) => (typeof value.n === 'number' ? { value: { n: value.n + 1 } } : { issues: [{ message: 'expected a number', path: ['n'] }] }),
  },
}

const validated = defineHandler({ pattern: '/validated', message: schema, onMessage: (conn, message) => conn.send(message) })

const guarded = defineHandler({
  pattern: '/guarded/{who}',
  authenticate: async (req) => {
    await wait(1)
    switch (req.params.who) {
      case 'yes':
        return true
      case 'no':
        return false
      case 'data':
        return { success: true, data: { name: 'Ada', at: new Date(0) } }
      case 'code':
        return { success: false, code: 4001, reason: 'go away' }
      case 'status':
        return { success: false, status: 429, headers: { 'retry-after': '5' } }
      case 'throws':
        throw new Error('broken')
      default:
        return 'nonsense' as never
    }
  },
  onConnect: (conn) => conn.send([conn.authData ?? 'none', conn.authData?.at instanceof Date, conn.req.params.who]),
})

const token = defineHandler({
  pattern: '/token',
  authenticate: { token: { query: 't', values: { secret: { role: 'admin' } } } },
  onConnect: (conn) => conn.send(conn.authData),
})

export default [seen, ordered, failing, taking, ...raw, transform, validated, guarded, token]
