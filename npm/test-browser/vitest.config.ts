import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.test.ts'],
    // One Chromium at a time: it needs the whole of a small machine.
    fileParallelism: false,
    // The examples log each connection.
    silent: 'passed-only',
    testTimeout: 60_000,
    hookTimeout: 90_000,
  },
})
