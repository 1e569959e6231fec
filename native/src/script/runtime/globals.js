// The globals of handler files.

import { AbortController, AbortSignal, Event, EventTarget } from 'switchboard:runtime/abort.js'
import { Buffer } from 'switchboard:runtime/buffer.js'
import { DOMException, structuredClone } from 'switchboard:runtime/clone.js'
import { format, inspect } from 'switchboard:runtime/inspect.js'
import { TextDecoder, TextEncoder, atob, btoa } from 'switchboard:runtime/text.js'
import * as timers from 'switchboard:runtime/timers.js'
import { URL, URLSearchParams } from 'switchboard:runtime/url.js'

const native = globalThis.__switchboard

/** As the levels of the engine's contract. */
const [DEBUG, INFO, WARN, ERROR] = [1, 2, 3, 4]

const counts = new Map()
const clocks = new Map()
const write = (level) => (...values) => native.log(level, format(...values), undefined)

const console = {
  log: write(INFO),
  info: write(INFO),
  debug: write(DEBUG),
  warn: write(WARN),
  error: write(ERROR),
  trace: (...values) => native.log(DEBUG, format(...values), native.shorten(new Error().stack)),
  dir: (value) => native.log(INFO, inspect(value), undefined),
  table: (value) => native.log(INFO, inspect(value), undefined),
  assert: (condition, ...values) => condition || native.log(ERROR, `Assertion failed${values.length ? `: ${format(...values)}` : ''}`, undefined),
  count: (label = 'default') => {
    counts.set(label, (counts.get(label) ?? 0) + 1)
    console.log(`${label}: ${counts.get(label)}`)
  },
  countReset: (label = 'default') => counts.delete(label),
  time: (label = 'default') => clocks.set(label, native.now()),
  timeLog: (label = 'default', ...values) => console.log(`${label}: ${(native.now() - (clocks.get(label) ?? native.now())).toFixed(3)}ms`, ...values),
  timeEnd: (label = 'default') => {
    console.timeLog(label)
    clocks.delete(label)
  },
  group: (...values) => values.length && console.log(...values),
  groupCollapsed: (...values) => values.length && console.log(...values),
  groupEnd: () => {},
}

const INTEGERS = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array']

const crypto = {
  randomUUID: () => native.randomUuid(),
  getRandomValues: (array) => {
    const name = Object.prototype.toString.call(array).slice(8, -1)
    if (!INTEGERS.includes(name)) throw new DOMException('getRandomValues: expected an array of whole numbers', 'TypeMismatchError')
    if (array.byteLength > 65_536) throw new DOMException('getRandomValues: at most 65536 bytes at once', 'QuotaExceededError')
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(new Uint8Array(native.random(array.byteLength)))
    return array
  },
  get subtle() {
    throw new Error('crypto.subtle is not there on the native server; use attach() on Node')
  },
}

const performance = { now: () => native.now(), timeOrigin: Date.now() - native.now() }

function queueMicrotask(callback) {
  if (typeof callback !== 'function') throw new TypeError(`queueMicrotask: expected a function, got ${typeof callback}`)
  Promise.resolve().then(callback)
}

function fetch() {
  return Promise.reject(new Error('fetch is not there on the native server; use attach() on Node, or the dialect proxy'))
}

const globals = {
  ...timers, AbortController, AbortSignal, Buffer, DOMException, Event, EventTarget, TextDecoder, TextEncoder, URL, URLSearchParams,
  atob, btoa, console, crypto, fetch, performance, queueMicrotask, structuredClone,
}
delete globals.fire
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
}
