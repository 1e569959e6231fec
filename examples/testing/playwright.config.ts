import { randomBytes } from 'node:crypto'

import { defineConfig } from '@playwright/test'

const { CHROMIUM, PORT = '4173' } = process.env
const url = `http://127.0.0.1:${PORT}`

// Vite takes it as the token of its control API, and the tests show it: both inherit this environment.
process.env.SWITCHBOARD_CONTROL_TOKEN ??= randomBytes(16).toString('hex')

export default defineConfig({
  testDir: 'tests',
  testMatch: '**/*.page.ts',
  workers: 1, // the tests in vite.page.ts share one server
  webServer: { command: `npx vite --host 127.0.0.1 --port ${PORT} --strictPort`, url },
  use: {
    baseURL: url,
    // A browser of the system. Without the variable it is the one that `npx playwright install chromium` installs.
    launchOptions: CHROMIUM ? { executablePath: CHROMIUM, args: ['--no-sandbox'] } : {},
  },
})
