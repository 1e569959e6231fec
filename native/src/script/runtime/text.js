// TextEncoder, TextDecoder, atob and btoa.

import { Buffer } from 'switchboard:runtime/buffer.js'
import { DOMException } from 'switchboard:runtime/clone.js'

const native = globalThis.__switchboard
const UTF8 = ['utf-8', 'utf8', 'unicode-1-1-utf-8']

export class TextEncoder {
  get encoding() {
    return 'utf-8'
  }

  encode(text = '') {
    return new Uint8Array(native.encode(String(text)))
  }

  encodeInto(text, target) {
    let [read, written] = [0, 0]
    for (const letter of text) {
      const bytes = this.encode(letter)
      if (written + bytes.length > target.length) break
      target.set(bytes, written)
      written += bytes.length
      read += letter.length
    }
    return { read, written }
  }
}

export class TextDecoder {
  #fatal
  #keepsMark
  #rest = new Uint8Array()

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    if (!UTF8.includes(String(label).trim().toLowerCase())) {
      throw new RangeError(`TextDecoder: only utf-8 is there on the native server, not ${label}`)
    }
    this.#fatal = Boolean(fatal)
    this.#keepsMark = Boolean(ignoreBOM)
  }

  get encoding() {
    return 'utf-8'
  }

  get fatal() {
    return this.#fatal
  }

  get ignoreBOM() {
    return this.#keepsMark
  }

  decode(input = new Uint8Array(), { stream = false } = {}) {
    const view = ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input)
    let bytes = view
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + view.length)
      bytes.set(this.#rest)
      bytes.set(view, this.#rest.length)
    }
    const end = stream ? bytes.length - unfinished(bytes) : bytes.length
    this.#rest = bytes.slice(end)
    const text = native.decode(bytes.buffer, bytes.byteOffset, end, this.#fatal)
    if (text === undefined) throw new TypeError('TextDecoder: the bytes are no UTF-8')
    return !this.#keepsMark && text.startsWith('\ufeff') ? text.slice(1) : text
  }
}

/** How many bytes at the end begin a character that goes on. */
function unfinished(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0
    if (byte < 0x80) return 0
  }
  return 0
}

export function btoa(text) {
  const letters = String(text)
  if (/[^\0-\xff]/.test(letters)) throw new DOMException('btoa: the text has characters beyond Latin1', 'InvalidCharacterError')
  return Buffer.from(letters, 'latin1').toString('base64')
}

export function atob(text) {
  const clean = String(text).replace(/[\t\n\f\r ]/g, '').replace(/={1,2}$/, '')
  if (/[^A-Za-z0-9+/]/.test(clean) || clean.length % 4 === 1) throw new DOMException('atob: the text is no base64', 'InvalidCharacterError')
  return Buffer.from(clean, 'base64').toString('latin1')
}
