// The message box of “Try”: text, JSON or binary, with what was sent before and what is kept by a name.

import { ask } from './dialogs.js'
import { announce, element } from './elements.js'
import { parseJson } from './json.js'
import { base64, bytesOf, size } from './values.js'

const [SENT, NAMED] = ['switchboard-sent', 'switchboard-messages']
/** How many messages are remembered. */
const MOST = { sent: 50, named: 100 }
/** The largest file that is put into the box, in bytes. */
const LARGEST_FILE = 1 << 20

const at = (id) => document.getElementById(id)
const [box, kind, known, mistake, file] = ['text', 'kind', 'known', 'mistake', 'file'].map(at)

const PLACEHOLDERS = {
  text: 'A message: Enter sends it, Shift+Enter starts a new line, ↑ brings back earlier ones',
  json: 'JSON, which is checked before it is sent',
  hex: 'Bytes in hexadecimal, such as 00 ff 7f',
  base64: 'Bytes in base64, such as AP9/',
}

let sent = kept(sessionStorage, SENT)
let named = kept(localStorage, NAMED)
/** Where in what was sent the box is; -1 is what is being written. */
let place = -1
let written = ''

/** The message in the box: text, or bytes. `undefined`: what is wrong with it is said. */
export function composed() {
  mistake.textContent = ''
  box.removeAttribute('aria-invalid')
  try {
    return read(box.value, kind.value)
  } catch (error) {
    mistake.textContent = error.message
    box.setAttribute('aria-invalid', 'true')
    if (error.at !== undefined) {
      box.focus()
      box.setSelectionRange(error.at, Math.min(error.at + 1, box.value.length))
    }
  }
}

/** Puts a message into the box. */
export function fill(text, as = 'text') {
  box.value = text
  kind.value = as
  changedKind()
}

/** Remembers what was sent from the box. */
export function remember() {
  const message = { text: box.value, kind: kind.value }
  sent = [message, ...sent.filter((one) => one.text !== message.text || one.kind !== message.kind)].slice(0, MOST.sent)
  place = -1
  keep(sessionStorage, SENT, sent)
  list()
}

/** Calls `send` when the box is to be sent. */
export function onSend(send) {
  at('compose').onsubmit = (event) => {
    event.preventDefault()
    send()
  }
  box.onkeydown = (event) => {
    if (event.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      return send()
    }
    const isAtStart = box.selectionStart === 0 && box.selectionEnd === 0
    const isAtEnd = box.selectionStart === box.value.length
    if (event.key === 'ArrowUp' && (isAtStart || place >= 0)) move(1, event)
    if (event.key === 'ArrowDown' && place >= 0 && isAtEnd) move(-1, event)
  }
}

function read(text, as) {
  if (as === 'json') parseJson(text)
  if (as === 'hex') return bytesOfHex(text)
  if (as !== 'base64') return text
  try {
    return bytesOf(text.replace(/\s+/g, ''))
  } catch {
    throw new Error('This is no base64: it has letters, digits, + and /, and = at the end')
  }
}

function bytesOfHex(text) {
  const wrong = /[^\da-f\s]/i.exec(text)
  if (wrong) throw Object.assign(new Error(`${JSON.stringify(wrong[0])} is no hexadecimal digit`), { at: wrong.index })
  const digits = text.replace(/\s+/g, '')
  if (digits.length % 2 === 1) throw new Error('A byte has two hexadecimal digits, and there is one too few')
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16))
}

function move(step, event) {
  const next = Math.min(sent.length - 1, place + step)
  if (next === place) return
  event.preventDefault()
  if (place === -1) written = { text: box.value, kind: kind.value }
  place = next
  const message = place === -1 ? written : sent[place]
  fill(message.text, message.kind)
  box.setSelectionRange(box.value.length, box.value.length)
}

function changedKind() {
  box.placeholder = PLACEHOLDERS[kind.value]
  mistake.textContent = ''
  box.removeAttribute('aria-invalid')
}

/** Saved messages by name, then earlier ones. */
function list() {
  const shown = ({ text }) => (text.length > 60 ? `${text.slice(0, 60)}…` : text || '(empty)')
  const group = (label, of, list, text) => (list.length === 0 ? [] : [element('optgroup', { label }, list.map((one, index) => element('option', { value: `${of} ${index}` }, text(one))))])
  known.replaceChildren(
    element('option', { value: '' }, 'Saved and earlier…'),
    ...group('Saved', 'named', named, ({ name }) => name),
    ...group('Sent before', 'sent', sent.slice(0, 20), shown),
  )
}

kind.onchange = changedKind
known.onchange = () => {
  const [list, index] = known.value.split(' ')
  const message = list === 'named' ? named[index] : sent[index]
  known.value = ''
  if (!message) return
  fill(message.text, message.kind)
  box.focus()
}
at('save').onclick = () => {
  const message = { text: box.value, kind: kind.value }
  ask({
    title: 'Save this message',
    text: 'It stays in this browser. A name that is there already is replaced; an empty message takes it away.',
    fields: [{ name: 'name', label: 'Name', value: '' }],
    does: 'Save',
    async act({ name }) {
      if (!name.trim()) throw new Error('Give it a name')
      const others = named.filter((one) => one.name !== name.trim())
      named = (message.text === '' ? others : [{ name: name.trim(), ...message }, ...others]).slice(0, MOST.named)
      keep(localStorage, NAMED, named)
      list()
      return message.text === '' ? `“${name.trim()}” is taken away` : `saved as “${name.trim()}”`
    },
  })
}
at('choose-file').onclick = () => file.click()
file.onchange = async () => {
  const [chosen] = file.files
  file.value = ''
  if (!chosen) return
  if (chosen.size > LARGEST_FILE) return announce(`${chosen.name} has ${size(chosen.size)}; at most ${size(LARGEST_FILE)} fit here`, true)
  fill(base64(new Uint8Array(await chosen.arrayBuffer())), 'base64')
  announce(`${chosen.name}, ${size(chosen.size)}: “Send” sends it as binary`)
}
list()
changedKind()

function kept(storage, name) {
  try {
    const list = JSON.parse(storage.getItem(name))
    return Array.isArray(list) ? list.filter((one) => typeof one?.text === 'string' && one.kind in PLACEHOLDERS) : []
  } catch {
    return []
  }
}

function keep(storage, name, list) {
  try {
    storage.setItem(name, JSON.stringify(list))
  } catch {
    announce('This browser has no room to keep it', true)
  }
}
