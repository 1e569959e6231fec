/** Finds handler files. */

import { basename, relative } from 'node:path'

import { globSync } from 'tinyglobby'

import { shapeOf } from '../values/arguments.js'

/** Never handlers: declarations, tests, and files whose name begins with `_`, which others import. */
const NEVER = /^_|\.d\.[cm]?ts$|\.(?:test|spec)\.[^.]+$/

/** Globs relative to the root, without `./` or `/` in front. Throws a `TypeError` for what is none. */
export function globsOf(patterns: string | string[]): string[] {
  return [patterns].flat().map((pattern) => {
    if (typeof pattern !== 'string' || pattern === '') {
      throw new TypeError(`[switchboard] files: expected a glob such as 'ws/**/*.ts', got ${shapeOf(pattern)}`)
    }
    const [, not, path] = /^(!?)(?:\.?\/)?(.*)$/s.exec(pattern)!
    return `${not}${path}`
  })
}

/**
 * The absolute paths of the files that match, sorted, with `/` between parts. Patterns are relative to `root`, with or
 * without `./` or `/` in front; one that begins with `!` takes files out.
 */
export function findFiles(patterns: string | string[], root: string): string[] {
  const found = globSync(globsOf(patterns), { cwd: root, absolute: true, ignore: ['**/node_modules/**'], expandDirectories: false })
  return found.filter((file) => !NEVER.test(basename(file))).sort()
}

/** A file's path as users write it: relative to the root, with `/` between parts. */
export function pathBelow(root: string, file: string): string {
  return relative(root, file).replaceAll('\\', '/')
}
