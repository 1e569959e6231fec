/** The inspector as a dock of Vite DevTools, where that is installed. */

import { INSPECTOR_PATH } from '../inspector/serve.js'

/** What Vite DevTools gives a plugin, as far as it is used here. */
export interface DevToolsContext {
  docks: { register(dock: { id: string; title: string; icon: string; type: 'iframe'; url: string }): unknown }
}

/** What Vite DevTools looks for in a plugin. */
export interface DevTools {
  setup(context: DevToolsContext): void
}

/** An icon of its own, as others are fetched from elsewhere. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='#1f6f5c'/><circle cx='5' cy='8' r='2' fill='#fff'/><circle cx='11' cy='8' r='2' fill='#fff'/><path d='M5 8h6' stroke='#fff' stroke-width='1.5'/></svg>",
)}`

/** Shows the inspector there while it is on; `shown` is called then. */
export function devTools(isOn: () => boolean, shown: () => void): DevTools {
  return {
    setup({ docks }) {
      if (!isOn()) return
      shown()
      docks.register({ id: 'switchboard', title: 'Switchboard', icon: ICON, type: 'iframe', url: INSPECTOR_PATH })
    },
  }
}
