/** What `ws` and Node's sockets have of an `EventEmitter`, and `once` of `node:events`. */

type Listener = (...given: any[]) => void

export class Emitter {
  #listeners: { event: string; listener: Listener; isOnce: boolean }[] = []

  on(event: string, listener: Listener): this {
    this.#listeners.push({ event, listener, isOnce: false })
    return this
  }

  once(event: string, listener: Listener): this {
    this.#listeners.push({ event, listener, isOnce: true })
    return this
  }

  off(event: string, listener: Listener): this {
    this.#listeners = this.#listeners.filter((one) => one.event !== event || one.listener !== listener)
    return this
  }

  listens(event: string): boolean {
    return this.#listeners.some((one) => one.event === event)
  }

  emit(event: string, ...given: unknown[]): void {
    for (const one of this.#listeners.filter((one) => one.event === event)) {
      if (one.isOnce) this.#listeners.splice(this.#listeners.indexOf(one), 1)
      one.listener(...given)
    }
  }
}

/** The next of these events. */
export function once(emitter: Emitter, event: string): Promise<unknown[]> {
  return new Promise((resolve) => emitter.once(event, (...given) => resolve(given)))
}
