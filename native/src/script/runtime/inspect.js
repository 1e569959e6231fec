// Values as text for the log, much as Node shows them.

const DEPTH = 4
const MOST = 100

export const custom = Symbol.for('nodejs.util.inspect.custom')

export function inspect(value) {
  return shown(value, DEPTH, [])
}

inspect.custom = custom

/** A line of the arguments of console.log. */
export function format(first, ...rest) {
  if (typeof first !== 'string') return [first, ...rest].map(text).join(' ')
  let used = 0
  const line = first.replace(/%([sdifjoOc%])/g, (written, letter) => {
    if (letter === '%') return '%'
    if (used >= rest.length) return written
    const value = rest[used++]
    switch (letter) {
      case 's':
        return typeof value === 'object' ? inspect(value) : String(value)
      case 'd':
      case 'f':
        return String(Number(value))
      case 'i':
        return String(Math.trunc(Number(value)))
      case 'j':
        return JSON.stringify(value)
      case 'c':
        return ''
      default:
        return inspect(value)
    }
  })
  return [line, ...rest.slice(used).map(text)].join(' ')
}

function text(value) {
  return typeof value === 'string' ? value : inspect(value)
}

function shown(value, depth, around) {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'bigint':
      return `${value}n`
    case 'symbol':
      return value.toString()
    case 'function':
      return `[${/^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'Function'}: ${value.name || '(anonymous)'}]`
    case 'object':
      return value === null ? 'null' : object(value, depth, around)
    default:
      return Object.is(value, -0) ? '-0' : String(value)
  }
}

function quoted(value) {
  const quote = !value.includes("'") ? "'" : !value.includes('"') ? '"' : '`'
  const inner = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"')
  return `${quote}${inner}${quote}`
}

function object(value, depth, around) {
  if (around.includes(value)) return '[Circular *1]'
  const own = value[custom]
  if (typeof own === 'function') {
    const result = own.call(value, depth, {}, (other) => shown(other, depth - 1, [...around, value]))
    return typeof result === 'string' ? result : shown(result, depth, [...around, value])
  }
  if (value instanceof Error) return value.stack ? `${value}\n${value.stack.trimEnd()}` : `[${value}]`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (value instanceof Promise) return 'Promise { … }'
  const name = value.constructor?.name ?? ''
  if (depth < 0) return Array.isArray(value) ? '[Array]' : `[${name || 'Object'}]`
  const next = (other) => shown(other, depth - 1, [...around, value])
  const keyed = ([key, other]) => `${next(key)} => ${next(other)}`
  if (value instanceof Map) return braces(`Map(${value.size})`, listed([...value], keyed))
  if (value instanceof Set) return braces(`Set(${value.size})`, listed([...value], next))
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return brackets(`${name}(${value.length})`, listed(Array.from(value), next))
  if (Array.isArray(value)) return brackets('', listed(value, next))
  if (value instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${value.byteLength} }`
  const fields = Object.keys(value).map((key) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key)}: ${field(value, key, next)}`)
  return braces(name === 'Object' ? '' : name || '[Object: null prototype]', fields)
}

function field(value, key, next) {
  const { get, set, value: own } = Object.getOwnPropertyDescriptor(value, key)
  if (get) return set ? '[Getter/Setter]' : '[Getter]'
  return next(own)
}

function listed(values, one) {
  const more = values.length - MOST
  return [...values.slice(0, MOST).map(one), ...(more > 0 ? [`... ${more} more items`] : [])]
}

function braces(name, parts) {
  return `${name}${name && ' '}${parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`}`
}

function brackets(name, parts) {
  return `${name}${name && ' '}${parts.length === 0 ? '[]' : `[ ${parts.join(', ')} ]`}`
}
