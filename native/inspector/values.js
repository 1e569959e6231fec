// How sizes, times and names are written.

/** A number of bytes. */
export function size(bytes) {
  if (bytes < 1024) return `${Math.round(bytes)} B`
  if (bytes < 1 << 20) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`
}

/** The time of a day, from ms since 1970, to the ms. */
export function clock(at) {
  const date = new Date(at)
  const two = (number) => String(number).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** A length of time in ms. */
export function time(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(ms < 10_000 ? 2 : 1))} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1_000)} s`
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`
}

/** The beginning of a connection's id, which is enough to tell it from others. */
export function short(id) {
  return id.slice(0, 6)
}

/** A number of things, with their name. */
export function many(count, one, several = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : several}`
}

/** What close codes mean. */
const CODES = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'no code was sent',
  1006: 'no close frame',
  1007: 'invalid payload',
  1008: 'policy violation',
  1009: 'message too big',
  1010: 'extension missing',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
  1014: 'bad gateway',
  1015: 'TLS failed',
}

/** A close code with its meaning, where it has one. */
export function meaning(code) {
  return CODES[code] ? `${code} ${CODES[code]}` : String(code)
}

/** Whether a close code tells of an error. */
export function isBadCode(code) {
  return ![1000, 1001, 1005].includes(code) && !(code >= 3000 && code < 4000)
}

/** Bytes of base64. */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

/** Base64 of bytes. */
export function base64(bytes) {
  let text = ''
  // Not all at once: a call has only so many arguments.
  for (let start = 0; start < bytes.length; start += 8_192) text += String.fromCharCode(...bytes.subarray(start, start + 8_192))
  return btoa(text)
}

/** For a POSIX shell. */
export function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
