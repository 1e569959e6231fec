// Node's Buffer, as far as messages need it: handlers get binary messages as one.

const ENCODINGS = ['utf8', 'utf-8', 'hex', 'base64', 'base64url', 'latin1', 'binary', 'ascii']

const native = globalThis.__switchboard

export class Buffer extends Uint8Array {
  static from(source, encoding, length) {
    if (typeof source === 'string') return decoded(source, encodingOf(encoding))
    if (source instanceof ArrayBuffer) return new Buffer(source, encoding, length)
    if (ArrayBuffer.isView(source)) return copied(new Uint8Array(source.buffer, source.byteOffset, source.byteLength))
    if (source?.type === 'Buffer' && Array.isArray(source.data)) return copied(source.data)
    if (typeof source === 'object' && source !== null) return copied(Array.from(source))
    throw new TypeError('Buffer.from: expected text, bytes or a list of numbers')
  }

  static alloc(size, fill, encoding) {
    const buffer = new Buffer(size)
    return fill === undefined ? buffer : buffer.fill(fill, 0, size, encoding)
  }

  static allocUnsafe(size) {
    return new Buffer(size)
  }

  static isBuffer(value) {
    return value instanceof Buffer
  }

  static isEncoding(encoding) {
    return ENCODINGS.includes(String(encoding).toLowerCase())
  }

  static byteLength(value, encoding) {
    return typeof value === 'string' ? Buffer.from(value, encoding).length : value.byteLength
  }

  static concat(list, length = list.reduce((sum, { length }) => sum + length, 0)) {
    const all = new Buffer(length)
    let at = 0
    for (const part of list) {
      if (at >= length) break
      all.set(part.subarray(0, length - at), at)
      at += part.length
    }
    return all
  }

  static compare(one, other) {
    return Buffer.prototype.compare.call(one, other)
  }

  toString(encoding, start = 0, end = this.length) {
    const bytes = start === 0 && end === this.length ? this : this.subarray(start, end)
    return encoded(bytes, encodingOf(encoding))
  }

  toLocaleString(encoding, start, end) {
    return this.toString(encoding, start, end)
  }

  toJSON() {
    return { type: 'Buffer', data: Array.from(this) }
  }

  equals(other) {
    return this.compare(other) === 0
  }

  compare(other) {
    const shared = Math.min(this.length, other.length)
    for (let at = 0; at < shared; at++) if (this[at] !== other[at]) return this[at] < other[at] ? -1 : 1
    return Math.sign(this.length - other.length)
  }

  copy(target, at = 0, start = 0, end = this.length) {
    const part = this.subarray(start, Math.min(end, start + target.length - at))
    target.set(part, at)
    return part.length
  }

  write(text, at = 0, length = this.length - at, encoding = 'utf8') {
    if (typeof at === 'string') [encoding, at, length] = [at, 0, this.length]
    const bytes = Buffer.from(text, encoding).subarray(0, length)
    this.set(bytes.subarray(0, this.length - at), at)
    return bytes.length
  }

  fill(value, start = 0, end = this.length, encoding = 'utf8') {
    if (typeof value === 'number') return super.fill(value, start, end)
    const bytes = typeof value === 'string' ? Buffer.from(value, encoding) : value
    if (bytes.length === 0) return super.fill(0, start, end)
    for (let at = start; at < end; at++) this[at] = bytes[(at - start) % bytes.length]
    return this
  }

  // Unlike a typed array's, it shares the memory.
  slice(start, end) {
    return this.subarray(start, end)
  }

  indexOf(value, from = 0, encoding = 'utf8') {
    if (typeof value === 'number') return super.indexOf(value & 255, from)
    const wanted = typeof value === 'string' ? Buffer.from(value, encoding) : value
    for (let at = from; at <= this.length - wanted.length; at++) {
      if (wanted.every((byte, index) => this[at + index] === byte)) return at
    }
    return -1
  }

  includes(value, from, encoding) {
    return this.indexOf(value, from, encoding) !== -1
  }
}

const NUMBERS = [
  ['Int8', 'Int8', 1],
  ['UInt8', 'Uint8', 1],
  ['Int16', 'Int16', 2],
  ['UInt16', 'Uint16', 2],
  ['Int32', 'Int32', 4],
  ['UInt32', 'Uint32', 4],
  ['BigInt64', 'BigInt64', 8],
  ['BigUInt64', 'BigUint64', 8],
  ['Float', 'Float32', 4],
  ['Double', 'Float64', 8],
]

for (const [name, of, size] of NUMBERS) {
  for (const order of size === 1 ? [''] : ['LE', 'BE']) {
    const read = function (at = 0) {
      return new DataView(this.buffer, this.byteOffset, this.byteLength)[`get${of}`](at, order === 'LE')
    }
    const write = function (value, at = 0) {
      new DataView(this.buffer, this.byteOffset, this.byteLength)[`set${of}`](at, value, order === 'LE')
      return at + size
    }
    for (const spelt of new Set([name, name.replace('UInt', 'Uint')])) {
      Object.defineProperty(Buffer.prototype, `read${spelt}${order}`, { value: read, writable: true, configurable: true })
      Object.defineProperty(Buffer.prototype, `write${spelt}${order}`, { value: write, writable: true, configurable: true })
    }
  }
}

function encodingOf(encoding) {
  const name = encoding === undefined || encoding === null ? 'utf8' : String(encoding).toLowerCase()
  if (!ENCODINGS.includes(name)) throw new TypeError(`Buffer: unknown encoding ${name}; there are ${ENCODINGS.join(', ')}`)
  return name
}

function copied(bytes) {
  const buffer = new Buffer(bytes.length)
  buffer.set(bytes)
  return buffer
}

function decoded(text, encoding) {
  switch (encoding) {
    case 'utf8':
    case 'utf-8':
      return new Buffer(native.encode(text))
    default:
      return new Buffer(native.encodeAs(wellFormed(text), encoding))
  }
}

function encoded(bytes, encoding) {
  switch (encoding) {
    case 'utf8':
    case 'utf-8':
      return native.decode(bytes.buffer, bytes.byteOffset, bytes.byteLength, false)
    default:
      return native.decodeAs(bytes.buffer, bytes.byteOffset, bytes.byteLength, encoding)
  }
}

/** What UTF-8 cannot say becomes U+FFFD. */
function wellFormed(text) {
  return text.isWellFormed() ? text : text.toWellFormed()
}
