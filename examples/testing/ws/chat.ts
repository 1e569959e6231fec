import { defineHandler } from 'vite-plugin-switchboard'

/** A chat room: Vite serves it while you develop, and the tests serve the same file. */
export default defineHandler({
  pattern: '/chat/{room}',
  inactivityTimeout: 60_000,
  onMessage: (connection, message) => {
    const { room } = connection.req.params
    if (message.type === 'join') {
      connection.joinRoom(room)
      connection.send({ type: 'joined', room })
    } else {
      connection.broadcast({ type: 'said', text: message.text }, { room, includeSelf: true })
    }
  },
})
