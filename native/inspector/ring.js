// A list that forgets its oldest items, as it has limits.

/** Items with a `size` in bytes. */
export class Ring {
  #items = []
  #head = 0
  /** How many went. */
  gone = 0
  bytes = 0

  constructor(most, mostBytes = Infinity) {
    Object.assign(this, { most, mostBytes })
  }

  get length() {
    return this.#items.length - this.#head
  }

  at(index) {
    return this.#items[this.#head + index]
  }

  last() {
    return this.#items.at(-1)
  }

  /** All of them. */
  items() {
    return this.#items.slice(this.#head)
  }

  /** Adds an item; the oldest ones go. */
  push(item) {
    this.#items.push(item)
    this.bytes += item.size ?? 0
    while (this.length > this.most || (this.bytes > this.mostBytes && this.length > 1)) this.shift()
  }

  shift() {
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    this.bytes -= item.size ?? 0
    this.gone++
    // Not for each one: it takes as long as there are items.
    if (this.#head > 1_000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  clear() {
    this.gone += this.length
    this.#items = []
    this.#head = 0
    this.bytes = 0
  }
}
