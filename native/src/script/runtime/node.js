// What the plugin's code imports of Node. Handler files cannot import it.

import { inspect } from 'switchboard:runtime/inspect.js'

export { inspect }

const BUFFERS = ['[object ArrayBuffer]', '[object SharedArrayBuffer]']

export const types = {
  isAnyArrayBuffer: (value) => BUFFERS.includes(Object.prototype.toString.call(value)),
}

export const dirname = (path) => path.replace(/\/?[^/]*$/, '')
export const extname = (path) => /\.[^./]+$/.exec(path)?.[0] ?? ''
export const resolve = (...parts) => parts.join('/')

export function readFileSync() {
  throw new Error('the native server reads configurations itself')
}

export function randomBytes() {
  throw new Error('the native server makes tokens itself')
}
