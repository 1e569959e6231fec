import { defineConfig } from 'vitest/config'

export default defineConfig({
  // What is tested is what is shipped.
  resolve: { alias: { 'vite-plugin-switchboard': new URL('dist/index.js', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // The tests start whole Vite servers: more at once would only make all of them slow.
    maxWorkers: 2,
  },
})
