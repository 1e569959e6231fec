import { defineConfig } from 'vitest/config'

const dist = (file: string): string => new URL('dist/', import.meta.url).pathname + file

export default defineConfig({
  // What is tested is what is shipped.
  resolve: {
    alias: [
      { find: /^vite-plugin-switchboard$/, replacement: dist('index.js') },
      { find: /^vite-plugin-switchboard\/testing$/, replacement: dist('testing/index.js') },
      { find: /^vite-plugin-switchboard\/control$/, replacement: dist('control/client.js') },
      { find: /^vite-plugin-switchboard\/(vitest|jest|playwright)$/, replacement: dist('testing/$1.js') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // The tests start whole Vite servers: more at once would only make all of them slow.
    maxWorkers: 2,
  },
})
