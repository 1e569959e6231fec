/** The rooms of a connection as a set. */

import { inspect } from 'node:util'

/** What a set of rooms asks of its connection. */
export interface RoomSource {
  getRooms(): string[]
  isInRoom(room: string): boolean
  joinRoom(room: string): void
  leaveRoom(room: string): void
}

/**
 * Always shows the rooms as they are; adding and deleting joins and leaves.
 *
 * It holds what it shows, too, taken anew with each use: what looks into a set without calling its methods, such as
 * `structuredClone` and the methods of newer JavaScript, finds the rooms there.
 */
export class Rooms extends Set<string> {
  // A field initialiser would run after Set's constructor, which must not see it missing.
  readonly #source: RoomSource

  constructor(source: RoomSource) {
    super()
    this.#source = source
  }

  /** Takes the rooms anew. */
  refresh(): this {
    super.clear()
    for (const room of this.#source.getRooms()) super.add(room)
    return this
  }

  override get size(): number {
    return this.#source.getRooms().length
  }

  override has(room: string): boolean {
    return this.#source.isInRoom(room)
  }

  override add(room: string): this {
    this.#source.joinRoom(room)
    return this.refresh()
  }

  override delete(room: string): boolean {
    const was = this.has(room)
    this.#source.leaveRoom(room)
    this.refresh()
    return was
  }

  override clear(): void {
    for (const room of this.#source.getRooms()) this.#source.leaveRoom(room)
    super.clear()
  }

  override forEach(callback: (value: string, key: string, set: Set<string>) => void, thisArg?: unknown): void {
    for (const room of this.#source.getRooms()) callback.call(thisArg, room, room, this)
  }

  override values(): SetIterator<string> {
    return new Set(this.#source.getRooms()).values()
  }

  override keys(): SetIterator<string> {
    return this.values()
  }

  override entries(): SetIterator<[string, string]> {
    return new Set(this.#source.getRooms()).entries()
  }

  override [Symbol.iterator](): SetIterator<string> {
    return this.values()
  }

  [inspect.custom](_depth: number, options: object, show = inspect): string {
    return show(new Set(this.#source.getRooms()), options)
  }
}

/** The methods of newer JavaScript look at what a set holds, not at its methods. */
const NEWER = [
  'union',
  'intersection',
  'difference',
  'symmetricDifference',
  'isSubsetOf',
  'isSupersetOf',
  'isDisjointFrom',
] as const

for (const name of NEWER) {
  const method: unknown = Reflect.get(Set.prototype, name)
  if (typeof method !== 'function') continue
  const value = function (this: Rooms, other: unknown): unknown {
    return Reflect.apply(method, this.refresh(), [other])
  }
  Object.defineProperty(Rooms.prototype, name, { value, writable: true, configurable: true })
}
