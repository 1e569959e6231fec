// The list of frames: what went which way, and when.

/** Older ones go. */
const kept = 500
/** Longer text is cut for the screen, not for the clipboard of the browser's own tools. */
const longest = 20_000

const log = document.getElementById('log')
const option = (id) => document.getElementById(id).checked
let total = 0

/** Adds a frame that was `sent` or `received`. */
export function frame(way, data) {
  const item = line(way, way === 'sent' ? '↑' : '↓', way === 'sent' ? 'sent' : 'received')
  const isText = typeof data === 'string'
  const bytes = isText ? new TextEncoder().encode(data).length : data.byteLength
  const what = isText ? text(data) : hexadecimal(new Uint8Array(data))
  item.append(what, Object.assign(document.createElement('span'), { className: 'size', textContent: size(bytes) }))
  total += 1
  add(item)
}

/** Adds something that happened to the connection. */
export function note(what, isBad = false) {
  const item = line(isBad ? 'note bad' : 'note', '·', 'note')
  item.append(Object.assign(document.createElement('span'), { className: 'what', textContent: what }))
  add(item)
}

/** Forgets all frames. */
export function clear() {
  log.replaceChildren()
  total = 0
  count()
}

document.getElementById('clear').onclick = clear
document.getElementById('pretty').onchange = ({ target }) => {
  for (const details of log.querySelectorAll('details')) details.open = target.checked
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

function add(item) {
  log.append(item)
  while (log.childElementCount > kept) log.firstChild.remove()
  if (option('follow')) log.scrollTop = log.scrollHeight
  count()
}

function count() {
  const gone = total > kept ? `, the last ${kept} shown` : ''
  document.getElementById('count').textContent = total === 0 ? '' : `${total}${gone}`
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

function size(bytes) {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KiB`
}
