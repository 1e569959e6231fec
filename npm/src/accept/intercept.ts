/** What a server emits, before its listeners. */

import type { EventEmitter } from 'node:events'

/**
 * Takes a server's events before its listeners, whenever those are added, and keeps from them what `take` says was
 * ours. The result stops that.
 */
export function intercept(emitter: EventEmitter, name: string, take: (...args: any[]) => boolean): () => void {
  const emit = emitter.emit
  let isStopped = false
  const own = function (this: EventEmitter, event: string | symbol, ...args: any[]): boolean {
    if (event === name && !isStopped && take(...args)) return true
    return emit.call(this, event, ...args)
  }
  emitter.emit = own
  return () => {
    isStopped = true
    // Whoever came later passes everything on to ours.
    if (emitter.emit === own) emitter.emit = emit
  }
}
