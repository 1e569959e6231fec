import { defineConfig } from 'vite'
import switchboard from 'vite-plugin-switchboard'

// The whole backend is switchboard.toml, which the native server reads too.
export default defineConfig({
  plugins: [switchboard({ config: 'switchboard.toml' })],
})
