import { defineConfig } from 'vite'
import mockApi from 'vite-plugin-switchboard'
import { verifyToken } from './tokens.ts'

export default defineConfig({
  plugins: [
    mockApi({
      endpointPrefix: '/api',
      enableWs: true,

      wsHandlers: [
        {
          pattern: '/ws/private',

          authenticate: async (req) => {
            // Get token from query params
            const url = new URL(req.url!, 'ws://localhost')
            const token = url.searchParams.get('token')

            if (!token) {
              return {
                success: false,
                code: 4001,
                reason: 'No token provided'
              }
            }

            try {
              const user = await verifyToken(token)
              return {
                success: true,
                data: { user }  // Stored in conn.authData
              }
            } catch (err) {
              return {
                success: false,
                code: 4002,
                reason: 'Invalid token'
              }
            }
          },

          onConnect: (conn) => {
            // Access authenticated user data
            const user = conn.authData.user
            conn.send({
              type: 'authenticated',
              user
            })
          }
        }
      ]
    })
  ]
})
