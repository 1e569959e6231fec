// A list of any length of which only the rows in view are elements.

import { element } from './elements.js'

/** Rows beyond either end of what is in view. */
const BEYOND = 8

/** A list box. Its items come from `items`, with `length` and `at(index)`, and have a `number` that grows. */
export class List {
  #rows = new Map()
  #isDue = false
  /** The number of the chosen item, if there is one. */
  chosen
  /** Whether it shows the newest item as it comes. */
  isFollowing = true

  constructor({ label, items, row, onChoose, height = 26 }) {
    Object.assign(this, { items, row, onChoose, height })
    this.room = element('div', { class: 'rows', role: 'presentation' })
    this.element = element('div', { class: 'list', tabindex: '0', 'aria-label': label, role: 'group' }, this.room)
    this.element.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    this.element.addEventListener('keydown', (event) => this.#key(event))
    this.element.addEventListener('click', (event) => {
      const row = event.target.closest('[data-number]')
      if (row) this.choose(Number(row.dataset.number))
    })
    new ResizeObserver(() => {
      // Details that open take room.
      if (this.chosen !== undefined && !this.isFollowing) this.#reveal(this.indexOf(this.chosen))
      this.refresh()
    }).observe(this.element)
  }

  /** Shows what there is now, with the next picture. */
  refresh() {
    if (this.#isDue) return
    this.#isDue = true
    requestAnimationFrame(() => {
      this.#isDue = false
      this.#draw()
    })
  }

  /** Draws all rows anew: they look different now. */
  redraw() {
    for (const row of this.#rows.values()) row.element.remove()
    this.#rows.clear()
    this.refresh()
  }

  /** Chooses an item by its number, and shows it. */
  choose(number, isShown = true) {
    this.chosen = number
    const index = this.indexOf(number)
    if (isShown) this.#reveal(index)
    this.refresh()
    this.onChoose?.(index === -1 ? undefined : this.items.at(index))
  }

  /** Where the item with this number is, or -1. */
  indexOf(number) {
    let [low, high] = [0, this.items.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.items.at(middle).number
      if (found === number) return middle
      if (found < number) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  /** The index of the first item after this number. */
  after(number) {
    let [low, high] = [0, this.items.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.items.at(middle).number <= number) low = middle + 1
      else high = middle
    }
    return low
  }

  follow(isFollowing) {
    this.isFollowing = isFollowing
    this.onFollow?.(isFollowing)
    this.refresh()
  }

  #reveal(index) {
    if (index === -1) return
    const { element: box, height } = this
    const top = index * height
    if (top < box.scrollTop) box.scrollTop = top
    else if (top + height > box.scrollTop + box.clientHeight) box.scrollTop = top + height - box.clientHeight
    if (index < this.items.length - 1 && this.isFollowing) this.follow(false)
  }

  #scrolled() {
    const { element: box, height } = this
    const isAtEnd = box.scrollTop + box.clientHeight >= this.items.length * height - height / 2
    // Only who scrolls up leaves the end.
    if (!isAtEnd && box.scrollTop < this.lastTop && this.isFollowing) this.follow(false)
    else if (isAtEnd && !this.isFollowing && box.scrollTop > this.lastTop) this.follow(true)
    this.lastTop = box.scrollTop
    this.#draw()
  }

  #draw() {
    const { element: box, items, height, room } = this
    if (box.clientHeight === 0) return
    const gone = items.gone ?? 0
    room.style.height = `${items.length * height}px`
    if (this.isFollowing) box.scrollTop = items.length * height
    // What was in view stays there when older ones go.
    else if (this.gone !== undefined && gone > this.gone) box.scrollTop -= (gone - this.gone) * height
    this.gone = gone
    this.lastTop = box.scrollTop
    const first = Math.max(0, Math.floor(box.scrollTop / height) - BEYOND)
    const last = Math.min(items.length, Math.ceil((box.scrollTop + box.clientHeight) / height) + BEYOND)
    const inView = new Set()
    for (let index = first; index < last; index++) {
      const item = items.at(index)
      inView.add(item.number)
      this.#place(item, index)
    }
    for (const [number, row] of this.#rows) {
      if (inView.has(number)) continue
      row.element.remove()
      this.#rows.delete(number)
    }
    // A list box has to have options.
    box.setAttribute('role', items.length > 0 ? 'listbox' : 'group')
    const active = this.#rows.get(this.chosen)
    active ? box.setAttribute('aria-activedescendant', active.element.id) : box.removeAttribute('aria-activedescendant')
  }

  #place(item, index) {
    let row = this.#rows.get(item.number)
    if (!row || row.version !== item.version) {
      row?.element.remove()
      const made = this.row(item, index)
      Object.assign(made, { id: `${this.element.getAttribute('aria-label')}-${item.number}`.replaceAll(' ', '-') }).dataset.number = item.number
      made.setAttribute('role', 'option')
      row = { element: made, version: item.version }
      this.#rows.set(item.number, row)
      this.room.append(made)
    }
    const { element: made } = row
    made.style.top = `${index * this.height}px`
    made.setAttribute('aria-posinset', index + 1)
    made.setAttribute('aria-setsize', this.items.length)
    made.setAttribute('aria-selected', item.number === this.chosen)
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.height) - 1)
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }
    const step = steps[event.key]
    const { length } = this.items
    if (step === undefined || length === 0) return
    event.preventDefault()
    const now = this.chosen === undefined ? -1 : this.indexOf(this.chosen)
    const start = now === -1 ? (step < 0 ? length : -1) : now
    const next = Math.min(length - 1, Math.max(0, start + step))
    this.choose(this.items.at(next).number)
    if (event.key === 'End') this.follow(true)
  }
}
