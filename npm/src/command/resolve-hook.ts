/** How imports of handler files are resolved: a hook of Node's, in a thread of its own. */

type Resolved = { url: string; format?: string | null; shortCircuit?: boolean }
type Context = { parentURL?: string }
type Next = (specifier: string, context: Context) => Promise<Resolved>

const NAME = 'vite-plugin-switchboard'

let ownPackage = ''

/** Takes where this package is. */
export function initialize(data: { ownPackage: string }): void {
  ownPackage = data.ownPackage
}

/** Files that a handler file imports are as new as itself; packages are loaded once. */
export async function resolve(specifier: string, context: Context, next: Next): Promise<Resolved> {
  const version = versionOf(context.parentURL)
  if (version === undefined) return next(specifier, context)
  let resolved
  try {
    resolved = await next(specifier, context)
  } catch (error) {
    // It runs without having been installed here: `npx`.
    if (specifier !== NAME) throw error
    return { url: ownPackage, format: 'module', shortCircuit: true }
  }
  const isOfProject =
    resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/') && !resolved.url.startsWith(new URL('.', ownPackage).href)
  return isOfProject ? { ...resolved, url: withVersion(resolved.url, version) } : resolved
}

function versionOf(url: string | undefined): string | undefined {
  if (!url?.startsWith('file:')) return undefined
  return new URL(url).searchParams.get('switchboard') ?? undefined
}

function withVersion(url: string, version: string): string {
  const versioned = new URL(url)
  versioned.searchParams.set('switchboard', version)
  return versioned.href
}
