/** Tells when files change. */

import { type FSWatcher, readFileSync, watch as watchFolder } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** A save is complete when nothing more has changed for this long in ms: editors write in several steps. */
const QUIET = 100

/** A folder in which something changes all the time is looked at this often, in ms. */
const LONGEST = 1000

/**
 * Calls `changed` when what is in one of the files is another than before. The folders are watched and not the files, as many
 * editors replace a file by another one of its name. Gives how to stop, and how to take what there is now as known.
 */
export function watchFiles(files: string[], changed: () => void): { stop(): void; refresh(): void } {
  let known = contents(files)
  let timer: NodeJS.Timeout | undefined
  let since: number | undefined
  const look = (): void => {
    since = undefined
    const now = contents(files)
    if (now.every((content, index) => content === known[index])) return
    known = now
    changed()
  }
  const touched = (): void => {
    since ??= performance.now()
    clearTimeout(timer)
    timer = setTimeout(look, Math.max(0, Math.min(QUIET, since + LONGEST - performance.now())))
    timer.unref()
  }
  const watchers: FSWatcher[] = []
  for (const folder of new Set(files.map((file) => dirname(resolve(file))))) {
    try {
      watchers.push(watchFolder(folder, { persistent: false }, touched).on('error', () => {}))
    } catch {
      // A folder that is not there yet is not worth a failure: the file in it is named when it is read.
    }
  }
  return {
    stop: () => {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
    refresh: () => void (known = contents(files)),
  }
}

function contents(files: string[]): (string | undefined)[] {
  return files.map((file) => {
    try {
      return readFileSync(file, 'latin1')
    } catch {
      return undefined
    }
  })
}
