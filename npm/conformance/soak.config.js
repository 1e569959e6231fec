// What `cargo xtask soak plugin` runs against: the routes that the native server has, and the same by functions.
import { setImmediate } from 'node:timers/promises'
import { defineConfig } from 'vite'
import { engineMemory } from './engine-memory.js'
import switchboard from '../dist/index.js'

/** Clients whose `onConnect` was called and whose `onClose` was not. */
let clients = 0
let messages = 0

/** Answers most messages at once and some later: what comes meanwhile has to wait for its turn. */
function sometimesLater(handle) {
  return (conn, message) => {
    if (++messages % 5 > 0) return handle(conn, message)
    return setImmediate().then(() => handle(conn, message))
  }
}

const common = {
  authenticate: async () => {
    await setImmediate()
    return { success: true, data: { number: messages } }
  },
  onConnect: () => void clients++,
  onClose: () => void clients--,
}

const board = switchboard({
  config: '../../xtask/soak/switchboard.toml',
  routes: [
    {
      ...common,
      pattern: '/callback/echo',
      parse: 'text',
      maxPayload: 1048576,
      perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false, threshold: 64 },
      onMessage: sometimesLater((conn, message) => conn.send(message)),
    },
    {
      ...common,
      pattern: '/callback/rooms',
      heartbeat: 2000,
      compression: { enabled: true, threshold: 512 },
      outbound: { maxBytes: 262144, overflow: 'close' },
      onMessage: sometimesLater((conn, message) => {
        if (message.join) {
          conn.joinRoom(message.join)
          return conn.send({ joined: message.join })
        }
        if (message.leave) {
          conn.leaveRoom(message.leave)
          return conn.send({ left: message.leave })
        }
        conn.broadcast(message, { room: message.say, includeSelf: true })
      }),
    },
  ],
})

/** What the native server tells at `/health`, and what only this one has. */
const health = {
  name: 'soak-health',
  configureServer({ httpServer, middlewares }) {
    // What limits.handshakeTimeout is to the native server. Node looks twice a minute.
    httpServer.headersTimeout = 3000
    middlewares.use('/health', (_, response) => {
      // Without node's --expose-gc, the heap holds garbage too.
      globalThis.gc?.()
      const { heapUsed, external } = process.memoryUsage()
      response.setHeader('Content-Type', 'application/json')
      const engine = engineMemory()
      const memory = { heap: heapUsed, external: external - engine.memory, engine: engine.memory, allocated: engine.allocated }
      response.end(JSON.stringify({ ...board.api.stats(), clients, ...memory }))
    })
  },
}

// Nothing here changes meanwhile.
export default defineConfig({ server: { watch: null }, plugins: [board, health] })
