/** The engine's module: compiled once, and an instance of it for every engine. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { type Instance, instantiate, type Switchboard } from '../switchboard_wasm.js'

export type { Instance }

/** The engine of one server, as wasm-bindgen exports it. */
export type Core = Switchboard

/** Node's types leave WebAssembly to those of browsers. */
const { Module } = (globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } }).WebAssembly

// Not as `new URL(…, import.meta.url)`: where a test's environment is a DOM, Vite makes a page's URL of that.
const FILE = join(dirname(fileURLToPath(import.meta.url)), '../switchboard_wasm_bg.wasm')

let compiled: object | undefined

/** An instance with memory of its own: engines share nothing, and a broken one takes its memory with it. */
export function createInstance(): Instance {
  compiled ??= new Module(readFileSync(FILE))
  return instantiate(compiled)
}
