/** The names under which Vite's server is reached. */

import type { ResolvedConfig } from 'vite'

/** The names under which Vite itself lets pages in. */
export function hostsOf(given: ResolvedConfig['server'] | ResolvedConfig['preview']): true | string[] {
  // A page that points its name here has no certificate for it.
  if (given.allowedHosts === true || given.https) return true
  const hosts = [...(given.allowedHosts ?? [])]
  if (typeof given.host === 'string') hosts.push(given.host)
  if (!('hmr' in given)) return hosts
  if (typeof given.hmr === 'object' && given.hmr.host) hosts.push(given.hmr.host)
  if (given.origin && URL.canParse(given.origin)) hosts.push(new URL(given.origin).hostname)
  return hosts
}
