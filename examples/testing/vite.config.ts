import { defineConfig } from 'vite'
import switchboard from 'vite-plugin-switchboard'

export default defineConfig({
  plugins: [switchboard({ files: 'ws/**/*.ts' })],
})
