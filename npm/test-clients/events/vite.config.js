import { defineConfig } from 'vite'
import switchboard from 'vite-plugin-switchboard'

export default defineConfig({
  plugins: [switchboard({ config: 'switchboard.toml' })],
})
