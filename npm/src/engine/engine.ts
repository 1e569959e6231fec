/** One instance of the core, and the only way to call it. */

import { readDocuments } from '../config/documents.js'
import { Batch } from './batch.js'
import { Memory } from './memory.js'
import type { Time } from './time.js'
import { type Core, createInstance, type Instance } from './wasm.js'
import type { Reconfiguration } from '../interface/reconfiguration.js'

/** What became of routes and connections, and the number of each route of the setup from now on. */
export interface Reconfigured extends Reconfiguration {
  routes: number[]
}

/**
 * The boundary between JavaScript and the core. Every call goes through {@link Engine.tell} or {@link Engine.ask},
 * with arguments that were made before, so that no user code runs in it, and nothing in the core calls JavaScript.
 *
 * The core gives errors back and throws none: an exception that comes out of it (a trap, or a stack that ended in the
 * middle of it) leaves it in an unknown state. Then the engine is broken: it is not called again, and every question
 * returns the value that the caller gave for that case.
 */
export class Engine {
  readonly batch: Batch
  readonly memory: Memory
  readonly #instance: Instance
  readonly #core: Core
  readonly #setClock: (core: Core) => true
  #isClockSet = false
  #isCalled = false
  #isBroken = false
  #error: unknown
  /** The files that belong to the latest configuration, its own aside. */
  documents: string[] = []
  /** Counts what the core was told. */
  activity = 0

  /** Throws what is wrong with the configuration. */
  constructor(setup: object, seed: Uint8Array, clock: Time) {
    this.#instance = createInstance()
    this.#setClock = (core) => {
      core.set_now(clock.monotonic, clock.now)
      return true
    }
    this.#core = new this.#instance.Switchboard(this.#withFiles(setup), seed)
    this.memory = new Memory(this.#instance.memory, (length) => this.ask((core) => core.scratch(length), 0))
    this.batch = new Batch(this.memory, this.#core.header())
  }

  /** The setup with what is in the files that belong to it. */
  #withFiles(setup: object): object {
    if (!this.#isBroken) this.documents = this.#instance.Switchboard.files(setup)
    return this.documents.length === 0 ? setup : { ...setup, files: readDocuments(this.documents) }
  }

  /** Whether it failed; then it does nothing any more. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** What it said when it failed. */
  get failure(): string {
    const panic = this.#instance.last_panic()
    if (panic !== undefined) return panic
    const { name, message } = (this.#error ?? {}) as { name?: unknown; message?: unknown }
    return `${String(name)}: ${String(message)}`
  }

  /**
   * Takes another configuration while connections are open. Throws what is wrong with it; then nothing has changed.
   * `undefined` when the engine is or becomes broken.
   */
  reconfigure(setup: object): Reconfigured | undefined {
    const complete = this.#withFiles(setup)
    const text = this.tell((core) => core.reconfigure(complete), undefined)
    if (text === undefined) return undefined
    const result = JSON.parse(text) as Reconfigured | { error: string }
    if ('error' in result) throw new Error(result.error)
    return result
  }

  /** Tells the core something; its clock is set before. Gives `otherwise` when it is or becomes broken. */
  tell<T>(call: (core: Core) => T, otherwise: T): T {
    this.activity++
    if (this.#isClockSet) return this.ask(call, otherwise)
    this.#isClockSet = this.ask(this.#setClock, false)
    return this.ask(call, otherwise)
  }

  /** Asks the core something that needs no clock. */
  ask<T>(call: (core: Core) => T, otherwise: T): T {
    if (this.#isBroken) return otherwise
    if (this.#isCalled) throw new Error('the engine cannot be called while it is at work')
    // Neither statement in `catch` calls anything: there may be no stack left to do it.
    try {
      this.#isCalled = true
      const result = call(this.#core)
      this.#isCalled = false
      return result
    } catch (error) {
      this.#isBroken = true
      this.#error = error
      return otherwise
    }
  }

  /**
   * Copies what came from outside to where the core finds it, and gives its length. Nobody there can be told that there
   * is no memory left: then the engine is broken.
   */
  copy(copy: (memory: Memory) => number): number {
    try {
      return copy(this.memory)
    } catch (error) {
      this.fail(error)
      return 0
    }
  }

  /** What is told next happens at a new time. All that one turn does happens at one. */
  forgetTime(): void {
    this.#isClockSet = false
  }

  /** Gives the engine up because of an error outside of the core. */
  fail(error: unknown): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#error = error
  }
}
