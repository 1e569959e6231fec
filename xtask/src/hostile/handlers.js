// Callbacks that do everything that callbacks can do wrong.

const fail = (what) => () => {
  throw new Error(`${what} threw`)
}
const reject = (what) => async () => {
  throw new Error(`${what} rejected`)
}
const never = () => new Promise(() => {})
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// Whatever can be thrown, and whatever can be returned instead of a promise.
const oddities = {
  undefined: () => {
    throw undefined
  },
  null: () => {
    throw null
  },
  symbol: () => {
    throw Symbol('odd')
  },
  string: () => {
    throw 'just text'
  },
  proxy: () => {
    throw new Proxy({}, { get: fail('a trap') })
  },
  getter: () => {
    throw { get message() { throw new Error('a getter threw') }, toString: fail('toString') }
  },
  bare: () => {
    throw Object.create(null)
  },
  long: () => {
    throw new Error('x'.repeat(1 << 20))
  },
  thenable: () => ({ then: fail('then') }),
  getThen: () => ({ get then() { throw new Error('get then threw') } }),
  twice: () => ({ then(resolve, rejected) { resolve(); rejected(new Error('late')); resolve() } }),
  stack: () => {
    const deep = () => deep() + 1
    deep()
  },
  circular: (conn) => {
    const circle = {}
    circle.circle = circle
    return conn.send(circle)
  },
  bigint: (conn) => conn.send({ big: 1n }),
  toJson: (conn) => conn.send({ toJSON: fail('toJSON') }),
  code: (conn) => conn.close(1005),
  ping: (conn) => conn.ping('x'.repeat(126)),
  room: (conn) => conn.joinRoom('r'.repeat(300)),
  heartbeat: (conn) => conn.startHeartbeat(NaN),
  symbolRoom: (conn) => conn.joinRoom(Symbol('room')),
}

// Everything that a connection offers, on one that is gone.
function useAfterClose(conn) {
  conn.send('late')
  conn.send(new Uint8Array(3))
  conn.broadcast('late', { room: 'late', includeSelf: true })
  conn.broadcastAllRooms('late', true)
  conn.joinRoom('late')
  conn.rooms.add('late')
  conn.leaveRoom('late')
  conn.getRooms()
  conn.isInRoom('late')
  conn.ping('late')
  conn.pong('late')
  conn.startHeartbeat(10)
  conn.startInactivityTimeout(10)
  conn.resetInactivityTimer(10)
  conn.stopHeartbeat()
  conn.stopInactivityTimeout()
  conn.resetMissedPong()
  conn.close(4001, 'late')
  conn.close(5)
}

let usedAfterClose = 0

export const handlers = [
  { pattern: '/js/echo', parse: 'text', onMessage: (conn, text) => conn.send(text) },
  { pattern: '/js/json', onMessage: (conn, message) => conn.send({ type: typeof message, polluted: {}.polluted, message }) },
  { pattern: '/js/merge', onMessage: (conn, message) => conn.send({ merged: Object.keys({ ...message }), polluted: {}.polluted }) },
  { pattern: '/js/throw', onMessage: fail('onMessage') },
  { pattern: '/js/reject', onMessage: reject('onMessage') },
  { pattern: '/js/never', onMessage: (conn, message) => (message === 'answer' ? conn.send('answered') : never()) },
  { pattern: '/js/odd', onMessage: (conn, name) => oddities[name](conn) },
  { pattern: '/js/connect/throw', onConnect: fail('onConnect') },
  { pattern: '/js/connect/reject', onConnect: reject('onConnect') },
  { pattern: '/js/connect/never', onConnect: never, onMessage: (conn) => conn.send('at last') },
  { pattern: '/js/auth/throw', authenticate: fail('authenticate') },
  { pattern: '/js/auth/reject', authenticate: reject('authenticate') },
  { pattern: '/js/auth/never', authenticate: never },
  { pattern: '/js/auth/odd', authenticate: () => ({ success: true, get data() { throw new Error('data threw') } }) },
  { pattern: '/js/auth/code', authenticate: () => ({ success: false, code: 99999, reason: 'x'.repeat(1000) }) },
  { pattern: '/js/auth/slow', authenticate: () => pause(200).then(() => true), onMessage: (conn, message) => conn.send(message) },
  {
    pattern: '/js/all/throw',
    transformRawData: fail('transformRawData'),
    onConnect: reject('onConnect'),
    onMessage: fail('onMessage'),
    onPing: fail('onPing'),
    onPong: reject('onPong'),
    onClose: fail('onClose'),
    onError: fail('onError'),
  },
  {
    pattern: '/js/hooks/reject',
    onPing: reject('onPing'),
    onPong: fail('onPong'),
    onClose: reject('onClose'),
    onError: reject('onError'),
    onMessage: (conn) => conn.send('still there'),
  },
  {
    pattern: '/js/late',
    onMessage: async (conn) => {
      const closed = conn.close(4000, 'before')
      useAfterClose(conn)
      await closed
      useAfterClose(conn)
      conn.forceClose()
    },
    onClose: async (conn) => {
      useAfterClose(conn)
      await pause(20)
      useAfterClose(conn)
      conn.forceClose()
      usedAfterClose += 1
    },
  },
  { pattern: '/js/late/count', onMessage: (conn) => conn.send(String(usedAfterClose)) },
  { pattern: '/js/burst', outbound: { maxBytes: 64 << 20 }, onMessage: (conn) => {
    for (let number = 0; number < 64; number++) conn.send({ number, filling: 'x'.repeat(65536) })
  } },
  { pattern: '/js/match', responses: [{ match: fail('match'), response: 'never' }], onMessage: (conn) => conn.send('never') },
]
