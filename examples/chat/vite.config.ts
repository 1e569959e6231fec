import { defineConfig } from 'vite'
import mockApi from 'vite-plugin-switchboard'

export default defineConfig({
  plugins: [
    mockApi({
      endpointPrefix: '/api',
      enableWs: true,  // Enable WebSocket

      wsHandlers: [
        {
          pattern: '/ws/chat',
          heartbeat: 30000,  // 30 seconds
          compression: {
            enabled: true,
            threshold: 1024  // Only compress messages > 1KB
          },

          onConnect: (conn) => {
            console.log('Client connected:', conn.id)
            conn.send({ type: 'welcome', message: 'Welcome!' })
          },

          onMessage: (conn, data) => {
            switch (data.type) {
              case 'join-room':
                // Join a room
                conn.joinRoom(data.room)

                // Notify room members
                conn.broadcast({
                  type: 'user-joined',
                  username: data.username,
                  room: data.room
                }, {
                  rooms: [data.room],
                  includeSelf: false
                })
                break

              case 'leave-room':
                // Leave a room
                conn.leaveRoom(data.room)
                break

              case 'message':
                // Broadcast to specific room
                conn.broadcast({
                  type: 'chat-message',
                  from: data.username,
                  text: data.text
                }, {
                  rooms: [data.room],
                  includeSelf: true
                })
                break
            }
          },

          onClose: (conn, code, reason) => {
            console.log(`Connection ${conn.id} closed:`, code, reason)

            // Notify other users
            conn.broadcast({
              type: 'user-left',
              userId: conn.id
            })
          }
        }
      ]
    })
  ]
})
