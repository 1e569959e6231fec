import { defineConfig } from 'vite'
import switchboard from 'vite-plugin-switchboard'
import { backend } from './backend.ts'

// The proxy is switchboard.toml, which the native server reads too.
export default defineConfig({
  plugins: [switchboard({ config: 'switchboard.toml' }), backend(4100)],
})
