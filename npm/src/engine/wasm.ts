/** The engine's module: compiled once, and an instance of it for every engine. */

import { readFileSync } from 'node:fs'

import { type Instance, instantiate, type Switchboard } from '../switchboard_wasm.js'

export type { Instance }

/** The engine of one server, as wasm-bindgen exports it. */
export type Core = Switchboard

/** Node's types leave WebAssembly to those of browsers. */
const { Module } = (globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } }).WebAssembly

let compiled: object | undefined

/** An instance with memory of its own: engines share nothing, and a broken one takes its memory with it. */
export function createInstance(): Instance {
  compiled ??= new Module(readFileSync(new URL('../switchboard_wasm_bg.wasm', import.meta.url)))
  return instantiate(compiled)
}
