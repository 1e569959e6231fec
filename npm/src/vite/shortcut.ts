/** The way to the inspector from Vite's terminal: a shortcut beside Vite's own. */

import type { PreviewServer, ViteDevServer } from 'vite'

import { INSPECTOR_PATH } from '../inspector/serve.js'
import { replace, type Serving } from './serving.js'

/** What is pressed, followed by Enter. */
export const SHORTCUT = 'i'

/** A shortcut of the terminal. */
interface Shortcut {
  key: string
}

/** Where the inspector of a server is; `undefined` before it listens. */
export function inspectorUrl(server: ViteDevServer | PreviewServer): string | undefined {
  const url = server.resolvedUrls?.local[0] ?? server.resolvedUrls?.network[0]
  return url && new URL(INSPECTOR_PATH, url).href
}

/** Whether Vite reads shortcuts from a terminal. */
export function hasShortcuts(): boolean {
  return Boolean(process.stdin.isTTY) && !process.env.CI
}

/** Adds the shortcut to those that Vite or the user binds, unless the key is the user's. */
export function addShortcut(server: ViteDevServer | PreviewServer, one: Serving): void {
  // The types of both servers differ in their shortcuts only.
  replace(one, server as ViteDevServer, 'bindCLIShortcuts', (bind) => (options) => {
    const given = options?.customShortcuts ?? []
    const isTaken = [...given, ...boundBefore(server)].some(({ key }) => key === SHORTCUT)
    const own = { key: SHORTCUT, description: 'open the inspector', action: open }
    bind.call(server, isTaken ? options : { ...options, customShortcuts: [...given, own] })
  })
}

/** Other plugins may have bound shortcuts already, which later ones would replace. Vite 6 does not tell. */
function boundBefore(server: object): Shortcut[] {
  const { _shortcutsState: state } = server as { _shortcutsState?: { options?: { customShortcuts?: Shortcut[] } } }
  return state?.options?.customShortcuts ?? []
}

function open(server: ViteDevServer | PreviewServer): void {
  const url = inspectorUrl(server)
  if (!url) return
  if (!('openBrowser' in server)) return server.config.logger.info(`inspector: ${url}`)
  // Vite opens what this option says, and knows which browser. It reads the option at once.
  const { server: settings } = server.config
  const { open } = settings
  settings.open = INSPECTOR_PATH
  try {
    server.openBrowser()
  } finally {
    settings.open = open
  }
}
