/** The pattern of a handler that has none: from its file's path, as routers of front-end frameworks do it. */

/**
 * The pattern for a file, whose path is relative to the root: `ws/chat/[room].ts` becomes `/ws/chat/{room}`.
 *
 * - The extension is left out, and so is a last part `index`.
 * - `[name]`, as a part or within one, becomes the parameter `{name}`.
 * - `[...rest]` as a part becomes `**`: any number of parts, which are no parameter.
 * - A part in round brackets, such as `(game)`, only groups files and is left out.
 * - `..` at the beginning, of files beside the root, is left out.
 */
export function patternOf(path: string): string {
  const parts = path.replaceAll('\\', '/').replace(/\.[^./]+$/, '').split('/')
  if (parts.at(-1) === 'index') parts.pop()
  return `/${parts.filter(isShown).map(segmentOf).join('/')}`
}

function isShown(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..' && !/^\(.*\)$/.test(part)
}

function segmentOf(part: string): string {
  return /^\[\.\.\..+\]$/.test(part) ? '**' : part.replaceAll(/\[([^\]]+)\]/g, '{$1}')
}
