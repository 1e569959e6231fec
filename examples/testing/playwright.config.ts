import { defineConfig } from '@playwright/test'

const { CHROMIUM, PORT = '4173' } = process.env
const url = `http://127.0.0.1:${PORT}`

export default defineConfig({
  testDir: 'tests',
  testMatch: '**/*.page.ts',
  webServer: { command: `npx vite --host 127.0.0.1 --port ${PORT} --strictPort`, url },
  use: {
    baseURL: url,
    // A browser of the system. Without the variable it is the one that `npx playwright install chromium` installs.
    launchOptions: CHROMIUM ? { executablePath: CHROMIUM, args: ['--no-sandbox'] } : {},
  },
})
