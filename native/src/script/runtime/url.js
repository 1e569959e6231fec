// URL and URLSearchParams. The host parses; the search parameters live here.

import { custom, inspect } from 'switchboard:runtime/inspect.js'

const native = globalThis.__switchboard
const PARTS = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash']

export class URLSearchParams {
  #pairs = []
  #changed

  constructor(init = '', changed = undefined) {
    this.#changed = changed
    if (typeof init === 'string') this.#pairs = native.parseQuery(init.replace(/^\?/, ''))
    else if (typeof init[Symbol.iterator] === 'function') this.#pairs = Array.from(init, ([name, value]) => [String(name), String(value)])
    else this.#pairs = Object.entries(init).map(([name, value]) => [name, String(value)])
  }

  #tell() {
    this.#changed?.(this.toString())
  }

  get size() {
    return this.#pairs.length
  }

  append(name, value) {
    this.#pairs.push([String(name), String(value)])
    this.#tell()
  }

  delete(name, value) {
    this.#pairs = this.#pairs.filter(([known, one]) => known !== String(name) || (value !== undefined && one !== String(value)))
    this.#tell()
  }

  get(name) {
    return this.#pairs.find(([known]) => known === String(name))?.[1] ?? null
  }

  getAll(name) {
    return this.#pairs.filter(([known]) => known === String(name)).map(([, value]) => value)
  }

  has(name, value) {
    return this.#pairs.some(([known, one]) => known === String(name) && (value === undefined || one === String(value)))
  }

  set(name, value) {
    const first = this.#pairs.find(([known]) => known === String(name))
    if (first === undefined) return this.append(name, value)
    first[1] = String(value)
    this.#pairs = this.#pairs.filter((pair) => pair === first || pair[0] !== String(name))
    this.#tell()
  }

  sort() {
    this.#pairs.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
    this.#tell()
  }

  forEach(callback, thisArg) {
    for (const [name, value] of this) callback.call(thisArg, value, name, this)
  }

  *keys() {
    for (const [name] of this.#pairs) yield name
  }

  *values() {
    for (const [, value] of this.#pairs) yield value
  }

  *entries() {
    for (const [name, value] of this.#pairs) yield [name, value]
  }

  [Symbol.iterator]() {
    return this.entries()
  }

  toString() {
    return native.writeQuery(this.#pairs.flat())
  }

  [custom]() {
    return `URLSearchParams ${inspect(Object.fromEntries(this.#pairs))}`
  }
}

export class URL {
  #parts
  #params

  constructor(url, base) {
    const parts = native.parseUrl(String(url), base === undefined ? undefined : String(base))
    if (parts === undefined) throw new TypeError(`Invalid URL: ${url}`)
    this.#parts = parts
  }

  static canParse(url, base) {
    return native.parseUrl(String(url), base === undefined ? undefined : String(base)) !== undefined
  }

  static parse(url, base) {
    return URL.canParse(url, base) ? new URL(url, base) : null
  }

  static get(url, part) {
    return url.#parts[part]
  }

  static set(url, part, value) {
    const parts = native.changeUrl(url.#parts[0], part, String(value))
    if (parts === undefined && part === 'href') throw new TypeError(`Invalid URL: ${value}`)
    if (parts !== undefined) url.#parts = parts
    url.#params = undefined
  }

  get searchParams() {
    return (this.#params ??= new URLSearchParams(this.search, (query) => {
      const params = this.#params
      this.search = query
      this.#params = params
    }))
  }

  toString() {
    return this.href
  }

  toJSON() {
    return this.href
  }

  [custom]() {
    return `URL ${inspect(Object.fromEntries(PARTS.map((part) => [part, this[part]])))}`
  }
}

const { get, set } = URL
delete URL.get
delete URL.set
for (const [index, part] of PARTS.entries()) {
  Object.defineProperty(URL.prototype, part, {
    get() {
      return get(this, index)
    },
    set: part === 'origin' ? undefined : function (value) {
      set(this, part, value)
    },
    enumerable: true,
    configurable: true,
  })
}
