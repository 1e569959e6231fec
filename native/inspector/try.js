// Try: a client in the page. Choose an endpoint, connect, talk, watch.

import { presetsFor } from './presets.js'
import { clear, frame, note } from './try-frames.js'

const at = (id) => document.getElementById(id)
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
let [endpoints, http] = [[], []]

/** Any curl can ask for an upgrade and show the frames as they come; only new ones know ws:// themselves. */
const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: c3dpdGNoYm9hcmQtcGFnZQ==',
].map((header) => `-H '${header}'`).join(' ')

let socket = null
let endpoint = null
let talk = presetsFor({})
let beating = null
/** Grows with each attempt to come back. */
let wait = 500
let retry = null

/** Shows what there is to try. */
export function listEndpoints(known) {
  ;({ endpoints, http } = known)
  at('endpoints').replaceChildren(...endpoints.map(({ pattern, kind, rules }) => item(`#${pattern}`, pattern, kind, rules)))
  at('http-title').hidden = http.length === 0
  at('http').replaceChildren(
    ...http.map(({ method, path }) => {
      const entry = item(method === 'GET' ? path : `#http:${path}`, path, method)
      if (method === 'GET') entry.firstChild.target = '_blank'
      return entry
    }),
  )
  if (endpoints.length === 0) note('The configuration has no routes.', true)
}

function item(href, path, badge, title = '') {
  const [entry, link] = [document.createElement('li'), document.createElement('a')]
  Object.assign(link, { href, title })
  for (const text of [path, badge]) link.append(Object.assign(document.createElement('span'), { textContent: text }))
  entry.append(link)
  return entry
}

/** Shows the endpoint with this name, or the first one, and connects unless it is shown already. */
export function choose(name) {
  const post = http.find(({ path }) => `http:${path}` === name)
  const next = endpoints.find(({ pattern }) => pattern === name) ?? endpoints[0]
  for (const link of document.querySelectorAll('#view-try nav a')) {
    const isCurrent = link.getAttribute('href') === (post ? `#${name}` : `#${next?.pattern}`)
    isCurrent ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current')
    if (isCurrent) link.scrollIntoView({ block: 'nearest' })
  }
  if (post) return showPost(post)
  if (!next || (name === '' && endpoint)) return
  endpoint = next
  talk = presetsFor(next)
  at('url').value = `${scheme}://${location.host}${next.example}`
  at('subprotocols').value = ''
  at('subprotocols').placeholder = next.subprotocols.join(', ') || 'none'
  clear()
  showTalk()
  showCommands()
  // In a frame it would be another page that connects.
  if (self === top) connect()
}

/** An endpoint that takes HTTP POST: what is written in the message box is its body. */
function showPost({ path }) {
  showCommands([['curl', `curl -d '{"solar_system_id":30000142}' ${location.origin}${path}`]])
}

function showTalk() {
  const fields = Object.entries(talk.fields).map(([name, value]) => {
    const label = Object.assign(document.createElement('label'), { textContent: name })
    const input = Object.assign(document.createElement('input'), { id: `field-${name}`, autocomplete: 'off' })
    input.value = typeof value === 'function' ? value() : value
    input.onkeydown = (event) => {
      if (event.key === 'Enter' && talk.enter[name]) say(talk.enter[name])
    }
    label.append(input)
    return label
  })
  at('fields').replaceChildren(...fields)
  const presets = Object.keys(talk.presets).map((name) => {
    const button = Object.assign(document.createElement('button'), { type: 'button', className: 'quiet', textContent: name })
    button.onclick = () => say(name)
    return button
  })
  at('presets').replaceChildren(...presets)
}

/** Sends a preset, and leaves it in the message box to be changed. */
function say(preset) {
  const values = Object.keys(talk.fields).map((name) => [name, at(`field-${name}`).value])
  const text = talk.presets[preset](Object.fromEntries(values))
  if (preset === 'Say') at('field-say').value = ''
  at('text').value = text
  send(text)
}

function send(text) {
  if (socket?.readyState !== WebSocket.OPEN) return
  socket.send(text)
  frame('sent', text)
}

function connect() {
  hangUp()
  const subprotocols = at('subprotocols').value.split(/[\s,]+/).filter(Boolean)
  let opening
  try {
    opening = new WebSocket(at('url').value, subprotocols)
  } catch (error) {
    return note(error.message, true)
  }
  socket = opening
  opening.binaryType = 'arraybuffer'
  showState('connecting', 'connecting')
  opening.onopen = () => {
    wait = 500
    const agreed = [opening.protocol && `subprotocol ${opening.protocol}`, opening.extensions && 'compressed']
    showState('open', ['connected', ...agreed.filter(Boolean)].join(', '))
    note(`connected to ${opening.url}`)
    if (talk.alive) beating = setInterval(() => send(talk.alive.message()), talk.alive.every)
  }
  opening.onmessage = ({ data }) => {
    frame('received', data)
    if (typeof data !== 'string') return
    const answer = talk.answer?.(data)
    if (answer) send(answer)
    for (const [name, value] of Object.entries(talk.learn?.(data) ?? {})) at(`field-${name}`).value = value
  }
  opening.onclose = ({ code, reason }) => {
    clearInterval(beating)
    showState('closed', `closed: ${code}`)
    note(`closed: ${code}${reason ? ` ${reason}` : ''}`, code !== 1000)
    // Who was sent away stays away; a server that is being restarted is waited for.
    if ([1001, 1006, 1012].includes(code)) {
      retry = setTimeout(connect, wait)
      wait = Math.min(wait * 2, 10_000)
    }
  }
}

/** Leaves without being told of it. */
function hangUp() {
  clearTimeout(retry)
  clearInterval(beating)
  if (!socket) return
  socket.onopen = socket.onmessage = socket.onclose = null
  socket.close()
  socket = null
}

function showState(state, text) {
  Object.assign(at('state'), { textContent: text }).dataset.state = state
  const isOpen = state === 'open'
  at('connect').textContent = state === 'closed' ? 'Connect' : 'Disconnect'
  at('send').disabled = !isOpen
  for (const button of at('presets').children) button.disabled = !isOpen
}

function showCommands(commands = ways()) {
  at('commands').replaceChildren(
    ...commands.map(([name, command]) => {
      const row = document.createElement('div')
      const copy = Object.assign(document.createElement('button'), { type: 'button', className: 'quiet', textContent: 'Copy' })
      copy.setAttribute('aria-label', `Copy the ${name} command`)
      copy.onclick = async () => {
        await navigator.clipboard.writeText(command)
        copy.textContent = 'Copied'
        setTimeout(() => (copy.textContent = 'Copy'), 1500)
      }
      row.append(
        Object.assign(document.createElement('span'), { textContent: name }),
        Object.assign(document.createElement('code'), { textContent: command, tabIndex: 0 }),
        copy,
      )
      return row
    }),
  )
}

/** How to talk to the endpoint from elsewhere. */
function ways() {
  const url = at('url').value
  const message = endpoint.message
  const first = message ? ` -x ${quoted(message)} -w 60` : ''
  const sending = message ? `ws.onopen = () => ws.send(\`${message}\`); ` : ''
  return [
    ['wscat', `npx wscat -c ${quoted(url)}${first}`],
    ['curl', `curl -iN -o - ${upgrade} ${quoted(url.replace(/^ws/, 'http'))}`],
    ['JavaScript', `const ws = new WebSocket('${url}'); ${sending}ws.onmessage = ({ data }) => console.log(data)`],
  ]
}

/** For a POSIX shell. */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

at('connection').onsubmit = (event) => {
  event.preventDefault()
  if (socket && socket.readyState <= WebSocket.OPEN) return socket.close(1000)
  connect()
}
at('url').oninput = () => endpoint && showCommands()
at('compose').onsubmit = (event) => {
  event.preventDefault()
  send(at('text').value)
}
at('text').onkeydown = (event) => {
  if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault()
    send(at('text').value)
  }
}
