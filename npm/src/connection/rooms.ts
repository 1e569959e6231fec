/** The rooms of a connection as a set. */

/** What a set of rooms asks of its connection. */
export interface RoomSource {
  getRooms(): string[]
  isInRoom(room: string): boolean
  joinRoom(room: string): void
  leaveRoom(room: string): void
}

/** Always shows the rooms as they are; adding and deleting joins and leaves. */
export class Rooms extends Set<string> {
  // A field initialiser would run after Set's constructor, which must not see it missing.
  readonly #source: RoomSource

  constructor(source: RoomSource) {
    super()
    this.#source = source
  }

  override get size(): number {
    return this.#source.getRooms().length
  }

  override has(room: string): boolean {
    return this.#source.isInRoom(room)
  }

  override add(room: string): this {
    this.#source.joinRoom(room)
    return this
  }

  override delete(room: string): boolean {
    const was = this.has(room)
    this.#source.leaveRoom(room)
    return was
  }

  override clear(): void {
    for (const room of this.#source.getRooms()) this.#source.leaveRoom(room)
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
}
