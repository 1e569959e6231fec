import { fileURLToPath } from 'node:url'

const dist = (file) => fileURLToPath(new URL(`../../../dist/${file}`, import.meta.url))

/** Tests that fail on purpose: `fixture.test.ts` beside it runs them and reads what is printed. */
export default {
  root: import.meta.dirname,
  resolve: {
    alias: [
      { find: /^vite-plugin-switchboard\/vitest$/, replacement: dist('testing/vitest.js') },
      { find: /^vite-plugin-switchboard$/, replacement: dist('index.js') },
    ],
  },
  test: { include: ['*.failing.ts'], watch: false },
}
