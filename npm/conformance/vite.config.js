// What Autobahn|Testsuite plays against: cargo xtask autobahn plugin, plugin-callback.
import { defineConfig } from 'vite'
import switchboard from '../dist/index.js'

// The client asks for windows and takeover case by case; what it asks for is what it gets.
const perMessageDeflate = { serverNoContextTakeover: false, clientNoContextTakeover: false, threshold: 0 }
const maxPayload = 16 * 1024 * 1024

export default defineConfig({
  // The testsuite plays for minutes: nothing here changes meanwhile.
  server: { watch: null },
  plugins: [
    switchboard({
      routes: [
        { pattern: '/echo', dialect: 'echo', perMessageDeflate, maxPayload },
        {
          pattern: '/callback',
          parse: 'text',
          perMessageDeflate,
          maxPayload,
          onMessage: (conn, data) => conn.send(data),
        },
      ],
    }),
  ],
})
