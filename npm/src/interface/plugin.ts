/** The Vite plugin as Vite and other plugins see it. */

import type { Plugin } from 'vite'

import type { ControlAccess } from './control.js'
import type { Faults } from './faults.js'
import type { Recordings } from './recordings.js'
import type { Route } from './route.js'
import type { Stats } from './control-api.js'
import type { Upgrade } from './switchboard.js'
import type { DevTools } from '../vite/devtools.js'

/** What the plugin offers to programs that embed Vite, and to other plugins. */
export interface PluginApi {
  /** Takes an upgrade request if it is for the plugin, and returns whether it is: for Vite in middleware mode. */
  upgrade: Upgrade
  /** Publishes a value on a feed. */
  publish(feed: string, value: unknown): void
  /**
   * A route, as `route` of `attach`. It may be asked for before Vite's server runs; until then it has no connections.
   */
  route(pattern: string): Route
  /** Gives a command to a route's dialect, as `command` of `attach`. */
  command(pattern: string, name: string, payload: unknown): void
  /** How the control API is reached; `undefined` while it is off, or before Vite's server runs. */
  readonly control: ControlAccess | undefined
  /** Lets things go wrong on purpose, as `faults` of `attach`, on the servers that run at the time. */
  readonly faults: Faults
  /** Records what passes, as `recordings` of `attach`, on the server that runs at the time. */
  readonly recordings: Recordings
  /** Statistics, as `stats` of `attach`. */
  stats(): Stats
}

/** The plugin, with its `api`, and with what Vite DevTools looks for. */
export type SwitchboardPlugin = Plugin<PluginApi> & { api: PluginApi; devtools: DevTools }
