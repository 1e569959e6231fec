import { defineConfig } from 'vite'
import switchboard from 'vite-plugin-switchboard'

import { errors } from './errors'

export default defineConfig({
  plugins: [switchboard({ config: 'switchboard.toml', routes: [{ pattern: '/ws/orders', scenario: errors }] })],
})
