// setTimeout and its relatives. The host wakes the interpreter at the next deadline.

const native = globalThis.__switchboard

/** A heap: each is due before the two behind it. Some are not due any more, which shows when they come to the front. */
let waiting = []
let outdated = 0
const byId = new Map()
let lastId = 0

/** The longest time of Node's: what is longer, or no number, is 1 ms. */
const LONGEST = 2 ** 31 - 1

class Timeout {
  #id
  constructor(id) {
    this.#id = id
  }
  ref() {
    return this
  }
  unref() {
    return this
  }
  hasRef() {
    return byId.has(this.#id)
  }
  refresh() {
    const timer = byId.get(this.#id)
    if (timer !== undefined) {
      leave()
      put(timer, native.now() + timer.delay)
      alarm()
    }
    return this
  }
  close() {
    clear(this.#id)
    return this
  }
  [Symbol.toPrimitive]() {
    return this.#id
  }
  [Symbol.dispose]() {
    clear(this.#id)
  }
}

function add(name, callback, delay, repeats, args) {
  if (typeof callback !== 'function') throw new TypeError(`${name}: expected a function, got ${typeof callback}`)
  const ms = Number(delay)
  const whole = ms >= 1 && ms <= LONGEST ? Math.trunc(ms) : 1
  const timer = { id: ++lastId, entry: undefined, delay: whole, repeats, callback, args }
  byId.set(timer.id, timer)
  put(timer, native.now() + whole)
  return new Timeout(timer.id)
}

/** The latest entry of a timer counts. */
function put(timer, at) {
  const entry = { timer, at, number: ++lastEntry }
  timer.entry = entry
  let index = waiting.push(entry) - 1
  while (index > 0) {
    const above = (index - 1) >> 1
    if (!isBefore(entry, waiting[above])) break
    waiting[index] = waiting[above]
    index = above
  }
  waiting[index] = entry
  if (index === 0) alarm()
}

let lastEntry = 0

function isBefore(one, other) {
  return one.at < other.at || (one.at === other.at && one.number < other.number)
}

function takeFirst() {
  const last = waiting.pop()
  if (waiting.length > 0) sink(0, last)
}

function sink(index, entry) {
  for (let below = 2 * index + 1; below < waiting.length; below = 2 * index + 1) {
    if (below + 1 < waiting.length && isBefore(waiting[below + 1], waiting[below])) below++
    if (isBefore(entry, waiting[below])) break
    waiting[index] = waiting[below]
    index = below
  }
  waiting[index] = entry
}

/** An entry is left in the heap. When they are most of it, they all go. */
function leave() {
  outdated++
  if (outdated <= 64 || outdated * 2 <= waiting.length) return
  outdated = 0
  waiting = waiting.filter((entry) => entry.timer.entry === entry && byId.has(entry.timer.id))
  for (let index = (waiting.length >> 1) - 1; index >= 0; index--) sink(index, waiting[index])
}

function clear(id) {
  const timer = byId.get(Number(id))
  if (timer === undefined) return
  byId.delete(timer.id)
  leave()
  alarm()
}

/** The first that is due, without those that are not any more. */
function first() {
  for (;;) {
    const entry = waiting[0]
    if (entry === undefined || (entry.timer.entry === entry && byId.has(entry.timer.id))) return entry
    outdated--
    takeFirst()
  }
}

let alarmAt = -1

function alarm() {
  const at = first()?.at ?? -1
  if (at !== alarmAt) native.alarm((alarmAt = at))
}

/** Runs one timer that is due; whether there was one. */
export function fire() {
  const entry = first()
  if (entry === undefined || entry.at > native.now()) {
    alarm()
    return false
  }
  const { timer } = entry
  takeFirst()
  // Before it runs: it may take too long, and is stopped then.
  if (timer.repeats) put(timer, native.now() + timer.delay)
  else byId.delete(timer.id)
  alarm()
  timer.callback(...timer.args)
  return true
}

export const setTimeout = (callback, delay, ...args) => add('setTimeout', callback, delay, false, args)
export const setInterval = (callback, delay, ...args) => add('setInterval', callback, delay, true, args)
export const setImmediate = (callback, ...args) => add('setImmediate', callback, 1, false, args)
export const clearTimeout = (timer) => clear(timer ?? NaN)
export const clearInterval = clearTimeout
export const clearImmediate = clearTimeout
