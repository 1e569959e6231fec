/** How much a server holds. */

import type { Core } from '../engine/wasm.js'
import type { ByteCounts, HandlerTime, Stats } from '../interface/control-api.js'

/** How many numbers the engine gives of each `ByteCounts`. */
const COUNTS = 6

/** Of an engine; all 0 without one. */
export function statsOf(core?: Core): Stats {
  const [connections = 0, rooms = 0, timers = 0, calls = 0, upstreams = 0, ...bytes] = core?.stats() ?? []
  const recordingBytes = bytes[2 * COUNTS] ?? 0
  const droppedMessages = JSON.parse(core?.dropped_messages() ?? '{}') as Record<string, number>
  const contractViolations = JSON.parse(core?.contract_violations() ?? '{}') as Record<string, number>
  const mismatches = JSON.parse(core?.mismatches() ?? '{}') as Record<string, number>
  const handlerTime = core?.handler_time()
  const [clientBytes, upstreamBytes] = [counts(bytes, 0), counts(bytes, COUNTS)]
  const counted = { connections, rooms, timers, calls, upstreams, clientBytes, upstreamBytes, recordingBytes, droppedMessages, contractViolations, mismatches }
  return handlerTime === undefined ? counted : { ...counted, handlerTime: JSON.parse(handlerTime) as HandlerTime }
}

/** Of several servers together. */
export function sum(all: Stats[]): Stats {
  const total = statsOf()
  for (const { handlerTime, ...stats } of all) {
    add(total, stats)
    // Times do not add up: of several servers one shows its own.
    if (handlerTime) total.handlerTime ??= handlerTime
  }
  return total
}

function counts(bytes: number[], at: number): ByteCounts {
  const [received = 0, undecoded = 0, waiting = 0, queued = 0, sent = 0, dropped = 0] = bytes.slice(at, at + COUNTS)
  return { received, undecoded, waiting, queued, sent, dropped }
}

function add(total: object, more: object): void {
  const sums = total as Record<string, number | object>
  for (const [key, value] of Object.entries(more as Record<string, number | object>)) {
    const before = sums[key]
    if (typeof value === 'object') add(before as object, value)
    // Of patterns each server has its own.
    else sums[key] = ((before as number | undefined) ?? 0) + value
  }
}
