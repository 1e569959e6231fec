// Served at /api/ws/chat: the prefix, and this file's path. Edit it while two tabs talk: the next message is handled by
// the new code, and nobody is disconnected.

import { defineHandler } from 'vite-plugin-switchboard'

interface Message {
  type: 'join-room' | 'leave-room' | 'message'
  room: string
  username: string
  text: string
}

export default defineHandler({
  heartbeat: 30_000,
  compression: { enabled: true, threshold: 1024 },

  onConnect(conn) {
    conn.send({ type: 'welcome', message: 'Welcome!' })
  },

  onMessage(conn, { type, room, username, text }: Message) {
    switch (type) {
      case 'join-room':
        conn.joinRoom(room)
        conn.broadcast({ type: 'user-joined', username, room }, { room })
        break
      case 'leave-room':
        conn.leaveRoom(room)
        break
      case 'message':
        conn.broadcast({ type: 'chat-message', from: username, text }, { room, includeSelf: true })
        break
    }
  },

  onClose(conn) {
    conn.broadcast({ type: 'user-left', userId: conn.id })
  },
})
