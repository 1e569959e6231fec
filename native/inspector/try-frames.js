// The frames of one client of “Try”: what went which way, and when.

import { element } from './elements.js'
import { size } from './values.js'

/** Older ones go. */
const kept = 500
/** Longer text is cut for the screen, not for the clipboard of the browser's own tools. */
const longest = 20_000

const place = document.getElementById('frames')
const option = (id) => document.getElementById(id).checked

/** The list of one client; only that of the chosen client is shown. */
export class Frames {
  #log = element('ol', { tabindex: '0', 'aria-label': 'Frames, the newest last' })
  #total = 0
  #isShown = false

  /** Adds a frame that was `sent` or `received`. */
  frame(way, data) {
    const item = line(way, way === 'sent' ? '↑' : '↓', way === 'sent' ? 'sent' : 'received')
    const isText = typeof data === 'string'
    const bytes = isText ? new TextEncoder().encode(data).length : data.byteLength
    item.append(isText ? text(data) : hexadecimal(new Uint8Array(data)), element('span', { class: 'size' }, size(bytes)))
    this.#total++
    this.#add(item)
  }

  /** Adds something that happened to the connection. */
  note(what, isBad = false) {
    const item = line(isBad ? 'note bad' : 'note', '·', 'note')
    item.append(element('span', { class: 'what' }, what))
    this.#add(item)
  }

  /** Forgets all frames. */
  clear() {
    this.#log.replaceChildren()
    this.#total = 0
    this.#count()
  }

  /** Shows it, or no more. */
  show(isShown) {
    this.#isShown = isShown
    this.#log.id = isShown ? 'log' : ''
    if (!isShown) return this.#log.remove()
    place.replaceChildren(this.#log)
    this.#follow()
    this.#count()
  }

  #add(item) {
    this.#log.append(item)
    while (this.#log.childElementCount > kept) this.#log.firstChild.remove()
    this.#follow()
    this.#count()
  }

  #follow() {
    if (this.#isShown && option('follow')) this.#log.scrollTop = this.#log.scrollHeight
  }

  #count() {
    if (!this.#isShown) return
    const gone = this.#total > kept ? `, the last ${kept} shown` : ''
    document.getElementById('count').textContent = this.#total === 0 ? '' : `${this.#total}${gone}`
  }
}

document.getElementById('pretty').onchange = ({ target }) => {
  for (const details of place.querySelectorAll('details')) details.open = target.checked
}

function line(className, arrow, meaning) {
  const item = document.createElement('li')
  item.className = className
  const time = document.createElement('time')
  const now = new Date()
  time.dateTime = now.toISOString()
  time.textContent = `${now.toLocaleTimeString('en-GB')}.${String(now.getMilliseconds()).padStart(3, '0')}`
  const way = Object.assign(document.createElement('span'), { className: 'way', textContent: arrow, title: meaning })
  item.append(time, way)
  return item
}

function text(data) {
  const json = parsed(data)
  const isLarge = data.length > longest
  if (json === undefined || isLarge) {
    const shown = isLarge ? `${data.slice(0, longest)}…` : data
    return Object.assign(document.createElement('span'), { className: 'what', textContent: shown })
  }
  const details = document.createElement('details')
  details.open = option('pretty')
  const [summary, pre] = [document.createElement('summary'), document.createElement('pre')]
  summary.append(...coloured(data))
  pre.append(...coloured(JSON.stringify(json, null, 2)))
  details.append(summary, pre)
  // An open frame folds by a click, but not while its text is being marked.
  pre.onclick = () => {
    if (getSelection().isCollapsed) details.open = false
  }
  return details
}

function parsed(data) {
  try {
    const value = JSON.parse(data)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** JSON as coloured pieces. */
function coloured(json) {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g
  const pieces = []
  let end = 0
  const piece = (className, textContent) => Object.assign(document.createElement('span'), { className, textContent })
  for (const match of json.matchAll(token)) {
    const [whole, string, colon, number] = match
    pieces.push(json.slice(end, match.index))
    if (string) pieces.push(piece(colon ? 'key' : 'string', string), colon ?? '')
    else pieces.push(piece(number ? 'number' : 'word', whole))
    end = match.index + whole.length
  }
  return [...pieces, json.slice(end)]
}

function hexadecimal(bytes) {
  const shown = [...bytes.subarray(0, 64)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  const textContent = `binary: ${shown}${bytes.length > 64 ? ' …' : ''}`
  return Object.assign(document.createElement('span'), { className: 'what', textContent })
}
