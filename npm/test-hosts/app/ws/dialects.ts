// Functions that only some dialects call.

import type { RouteOptions } from 'vite-plugin-switchboard'

/** What happened, for who asks. */
const events: unknown[] = []

const channels: RouteOptions = {
  pattern: '/socket/websocket',
  dialect: 'phoenix',
  phoenix: {
    channels: [
      {
        topic: 'room:*',
        join: async (payload, socket) => {
          if ((payload as any).name === 'Mallory') return { error: { reason: 'not you' } }
          socket.assigns.name = (payload as any).name
          return { ok: { welcome: socket.assigns.name, topic: socket.topic } }
        },
        handleIn: {
          shout: (payload, socket) => socket.broadcast('shout', { from: socket.assigns.name, ...(payload as object) }),
          whoami: (_, socket) => ({ ok: { name: socket.assigns.name, isOpen: !socket.connection.closed } }),
          fail: () => {
            throw new Error('failed')
          },
          later: async (_, socket) => {
            const { ref } = socket
            setTimeout(() => socket.reply(ref, { ok: { late: true } }), 5)
          },
          present: (_, socket) => {
            socket.track(socket.assigns.name, { status: 'here' })
            return { ok: {} }
          },
          stop: () => ({ ok: {}, stop: true }),
        },
        leave: (reason, socket) => void events.push(['leave', reason, socket.assigns.name]),
      },
    ],
  },
}

const commands: RouteOptions = {
  pattern: '/commands',
  dialect: 'commands',
  commands: {
    on: {
      start: () => void events.push(['start']),
      connect: ({ name }) => void events.push(['connect', typeof name]),
      receive: (id, text) => void events.push(['receive', typeof id, text]),
      disconnect: (id) => void events.push(['disconnect', typeof id]),
    },
  },
}

const asked: RouteOptions = {
  pattern: '/events',
  onMessage: (conn) => conn.send(events.splice(0)),
}

const echo: RouteOptions = { pattern: '/echo', dialect: 'echo', onMessage: (_, data) => void events.push(['echo', data]) }

const rules: RouteOptions = { pattern: '/rules', rules: [{ match: { type: 'hi' }, do: [{ reply: { type: 'hello' } }] }] }

/** What passes to another server, which sends everything back. */
const inspected: RouteOptions = {
  pattern: '/inspected',
  dialect: 'proxy',
  proxy: {
    url: '${TARGET}',
    onClientMessage: async (message, connection) => {
      await Promise.resolve()
      if (message === 'drop') return false
      if (message === 'fail') throw new Error('no')
      if (message === 'bytes') return Buffer.from([1, 255])
      if (message === 'who') return `${connection.path} ${typeof connection.id}`
      return typeof message === 'string' ? undefined : Buffer.concat([message, message])
    },
    onTargetMessage: (message) => {
      if (message === 'drop it here') return false
      return Buffer.isBuffer(message) ? `${message.length} bytes` : `${message}!`
    },
  },
}

const target: RouteOptions = { pattern: '/target', onMessage: (conn, data) => conn.send(data) }

export default [channels, commands, asked, echo, rules, target, inspected]
