// The view of the log: what the server wrote, and errors of handlers.

import { button, element, empty } from './elements.js'
import { on, store } from './store.js'
import { clock } from './values.js'

/** Lines that are elements. */
const MOST = 500

const view = document.getElementById('view-log')
const text = element('input', { type: 'search', placeholder: 'Filter', 'aria-label': 'Filter the log', spellcheck: 'false', autocomplete: 'off' })
const level = element('select', { 'aria-label': 'Level' }, ['everything', 'info', 'warn', 'error'].map((name) => element('option', { value: name }, name === 'everything' ? name : `${name} and worse`)))
const lines = element('ol', { class: 'scrolled lines', tabindex: '0', 'aria-label': 'Lines of the log, the newest last' })
const nothing = empty('The log is empty. In Vite `logLevel: \'debug\'`, or DEBUG=switchboard for either host, logs who connects and what passes.')
view.append(element('div', { class: 'tools' }, text, level, element('span', { class: 'gap' }), button('Clear', () => (store.log.clear(), show()))), nothing, lines)
text.addEventListener('input', show)
level.addEventListener('input', show)
on('log', soon)

let isDue = false
const LEVELS = ['debug', 'info', 'warn', 'error']

function soon() {
  if (isDue || view.hidden) return
  isDue = true
  requestAnimationFrame(() => {
    isDue = false
    show()
  })
}

export function show() {
  if (view.hidden) return
  const isAtEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 20
  const wanted = text.value.trim().toLowerCase()
  const found = []
  for (let index = store.log.length - 1; index >= 0 && found.length < MOST; index--) {
    const line = store.log.at(index)
    if (level.value !== 'everything' && LEVELS.indexOf(line.level) < LEVELS.indexOf(level.value)) continue
    if (!wanted || line.text.toLowerCase().includes(wanted)) found.push(line)
  }
  lines.replaceChildren(...found.reverse().map((line) => element('li', { class: line.level }, element('time', {}, clock(line.at)), element('span', { class: 'label' }, line.level), element('pre', {}, line.text))))
  nothing.hidden = found.length > 0
  lines.hidden = found.length === 0
  if (isAtEnd) lines.scrollTop = lines.scrollHeight
}
