import { defineConfig } from 'vite'
import mockApi from 'vite-plugin-switchboard'

const generateGameId = () => Math.random().toString(36).slice(2, 8)

export default defineConfig({
  plugins: [
    mockApi({
      endpointPrefix: '/api',
      enableWs: true,

      wsHandlers: [
        {
          pattern: '/ws/game',
          heartbeat: 10000,

          onConnect: (conn) => {
            conn.joinRoom('lobby')
            conn.send({ type: 'joined-lobby' })
          },

          onMessage: (conn, data) => {
            switch (data.type) {
              case 'create-game':
                const gameId = generateGameId()
                conn.joinRoom(gameId)
                conn.send({ type: 'game-created', gameId })
                break

              case 'join-game':
                conn.joinRoom(data.gameId)
                conn.broadcast({
                  type: 'player-joined',
                  playerId: conn.id
                }, { rooms: [data.gameId] })
                break

              case 'game-action':
                conn.broadcast({
                  type: 'game-update',
                  action: data.action,
                  playerId: conn.id
                }, { rooms: [data.gameId], includeSelf: true })
                break
            }
          }
        }
      ]
    })
  ]
})
