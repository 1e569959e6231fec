// JSON as a tree that unfolds, with buttons that copy a value or the path to it.

import { button, copy, element } from './elements.js'

/** Children that are shown at once. */
const PAGE = 100
/** Text that is shown of one value. */
const LONGEST = 2_000
/** Levels that are open at first. */
const OPEN = 2

/** A value as a tree. */
export function tree(value) {
  return element('div', { class: 'tree' }, node(value, undefined, '', 0))
}

function node(value, key, path, depth) {
  const isNested = typeof value === 'object' && value !== null && Object.keys(value).length > 0
  const name = key === undefined ? null : [element('span', { class: 'key' }, typeof key === 'number' ? String(key) : key), ': ']
  if (!isNested) return element('div', { class: 'leaf' }, name, leaf(value), copies(value, path))
  const entries = Array.isArray(value) ? value.map((child, index) => [index, child]) : Object.entries(value)
  const brackets = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  const count = Array.isArray(value) ? ` ${entries.length} ` : ` ${entries.slice(0, 4).map(([key]) => key).join(', ')}${entries.length > 4 ? ', …' : ''} `
  const details = element('details', { open: depth < OPEN })
  details.append(element('summary', {}, name, element('span', { class: 'brackets' }, `${brackets[0]}${count}${brackets[1]}`)))
  let shown = 0
  const more = () => {
    details.querySelector(':scope > .more')?.remove()
    for (const [key, child] of entries.slice(shown, shown + PAGE)) details.append(node(child, key, path + step(key), depth + 1))
    shown += PAGE
    if (shown < entries.length) details.append(button(`${entries.length - shown} more`, more, { class: 'quiet more' }))
  }
  // Children are made when they are first seen: there may be very many.
  const unfold = () => {
    if (details.open && shown === 0) {
      details.append(copies(value, path))
      more()
    }
  }
  details.addEventListener('toggle', unfold)
  unfold()
  return details
}

function leaf(value) {
  if (typeof value === 'object' && value !== null) return element('span', { class: 'brackets' }, Array.isArray(value) ? '[]' : '{}')
  if (typeof value !== 'string') return element('span', { class: typeof value === 'number' ? 'number' : 'word' }, String(value))
  const text = value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value
  return element('span', { class: 'string' }, JSON.stringify(text))
}

function copies(value, path) {
  // Not before it is asked for: a large value is long as text.
  const text = () => (typeof value === 'string' ? value : JSON.stringify(value, null, 2))
  const where = path === '' ? 'the whole' : path
  return element(
    'span',
    { class: 'copies' },
    button('value', () => copy(text(), 'The value is copied'), { 'aria-label': `Copy the value of ${where}` }),
    path !== '' && button('path', () => copy(path.replace(/^\./, ''), 'The path is copied'), { 'aria-label': `Copy the path ${path}` }),
  )
}

function step(key) {
  if (typeof key === 'number') return `[${key}]`
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}
