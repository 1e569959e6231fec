/** Who is connected, by slot. */

import type { Socket } from './socket.js'

/** All sockets of one server, from their upgrade to `removed`. */
export class Sockets {
  readonly #bySlot: (Socket | undefined)[] = []
  /** Those that are not closed yet, also those that the engine has forgotten. */
  #open = 0
  #onIdle: (() => void)[] = []

  add(socket: Socket): void {
    this.#bySlot[socket.slot] = socket
    this.#open++
  }

  /** Who has the slot, if it is still the same one. */
  find(slot: number, generation: number): Socket | undefined {
    const socket = this.#bySlot[slot]
    return socket?.generation === generation ? socket : undefined
  }

  /** Forgets a socket, whether it is closed or not. */
  remove(slot: number, generation: number): void {
    if (this.find(slot, generation)) this.#bySlot[slot] = undefined
  }

  /** One is closed. */
  left(): void {
    this.#open--
    if (this.#open === 0) this.giveUp()
  }

  /** Whether all are closed. */
  get isIdle(): boolean {
    return this.#open === 0
  }

  /** Resolves when all are closed. */
  idle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.#onIdle.push(resolve))
  }

  /** Waits no longer for any. */
  giveUp(): void {
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  *[Symbol.iterator](): Iterator<Socket> {
    for (const socket of this.#bySlot) if (socket) yield socket
  }
}
