/** Starts recordings, and stops them. */

import type { RecordingHandle, Recordings } from '../interface/recordings.js'
import { name, optionsOf, shapeOf } from '../values/arguments.js'
import type { Host } from './host.js'

/** Recordings of this host, which may be another one each time; `undefined` where none runs. */
export function recordingsOf(find: () => Host | undefined): Recordings {
  return {
    start: (given) => {
      const { file, route, mask } = optionsOf(typeof given === 'string' ? { file: given } : given, 'recordings.start', "{ file: 'session.jsonl' }")
      const pattern = route === undefined || route === null ? undefined : name(route, 'recordings.start: route')
      const path = name(file, 'recordings.start: file')
      const host = find()
      // What is switched off records nothing.
      if (!host) return handle(() => Promise.resolve(false))
      return started(host, path, pattern, patterns(mask))
    },
  }
}

function started(host: Host, file: string, route: string | undefined, mask: string[]): RecordingHandle {
  const result = host.input((core) => core.start_recording(file, route, mask))
  // The engine has failed: nothing is recorded.
  if (result === undefined) return handle(() => Promise.resolve(false))
  const { id, error } = JSON.parse(result) as { id?: number; error?: string }
  if (id === undefined) throw new Error(`recordings.start: ${error}`)
  return handle(async () => {
    const wasThere = host.input((core) => core.stop_recording(id)) ?? false
    await host.filesWritten()
    return wasThere
  })
}

function handle(stop: () => Promise<boolean>): RecordingHandle {
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) }
}

function patterns(mask: unknown): string[] {
  if (mask === undefined || mask === null) return []
  if (Array.isArray(mask) && mask.every((pattern) => typeof pattern === 'string')) return mask
  throw new TypeError(`recordings.start: mask: expected a list of regular expressions as texts, got ${shapeOf(mask)}`)
}
