import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  // What is tested is what is shipped.
  resolve: { alias: { 'vite-plugin-switchboard': fileURLToPath(new URL('../dist/index.js', import.meta.url)) } },
  test: {
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // Each has a server of its own.
    maxConcurrency: 4,
  },
})
