/** Adds faults to engines, and takes them back. */

import type { ConnectionId } from '../engine/actor.js'
import type { FaultHandle, Faults } from '../interface/faults.js'
import { name, optionsOf, shapeOf } from '../values/arguments.js'
import type { Host } from './host.js'

/** Faults for all of these hosts, which may be others each time. */
export function faultsOf(find: () => Host[]): Faults {
  return {
    add: (faults, scope) => {
      const { pattern, room } = optionsOf(scope, 'faults.add', "{ pattern: '/chat/**' }")
      return addAll(find(), faults, given(pattern, 'faults.add: pattern'), given(room, 'faults.add: room'))
    },
    clear: () => find().forEach((host) => void host.input((core) => core.clear_faults())),
  }
}

/** Adds faults for the connections of a pattern, and in a room, as far as one is given. */
export function addAll(hosts: Host[], faults: unknown, pattern?: string, room?: string): FaultHandle {
  const text = written(faults)
  return handle(hosts.map((host) => added(host, host.input((core) => core.add_faults(text, pattern, room)))))
}

/** Adds faults for one connection; nothing happens to one that is closed. */
export function addTo(host: Host, { slot, generation }: ConnectionId, faults: unknown): FaultHandle {
  const text = written(faults)
  if (!host.ask((core) => core.is_open(slot, generation), false)) return handle([])
  return handle([added(host, host.input((core) => core.add_connection_faults(slot, generation, text)))])
}

/** What takes faults back. */
type Removal = () => boolean

/** Throws what is wrong. */
function added(host: Host, result: string | undefined): Removal {
  // The engine has failed: with it go its faults.
  if (result === undefined) return () => false
  const { id, error } = JSON.parse(result) as { id?: number; error?: string }
  if (id === undefined) throw new Error(error)
  return () => host.input((core) => core.remove_faults(id)) ?? false
}

function handle(removals: Removal[]): FaultHandle {
  const remove = (): boolean => removals.map((one) => one()).some((wasThere) => wasThere)
  return { remove, [Symbol.dispose]: () => void remove() }
}

function given(value: unknown, what: string): string | undefined {
  return value === undefined || value === null ? undefined : name(value, what)
}

function written(faults: unknown): string {
  const text = JSON.stringify(faults)
  if (text === undefined) {
    throw new TypeError(`faults.add: expected a fault such as { on: 'send', latency: 100 }, got ${shapeOf(faults)}`)
  }
  return text
}
