// Try: clients in the page. Choose an endpoint, connect, talk, watch; several at once.

import { Client } from './client.js'
import { composed, fill, onSend, remember } from './composer.js'
import { curl } from './copies.js'
import { announce, button, copy, element } from './elements.js'
import { quoted } from './values.js'

/** So many clients can be open at once. */
const MOST = 12

const at = (id) => document.getElementById(id)
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
let [endpoints, http] = [[], []]

const clients = []
/** The client that is shown. */
let shown
let number = 0

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
  at('state').textContent = endpoints.length === 0 ? 'the configuration has no routes' : at('state').textContent
}

function item(href, path, badge, title = '') {
  return element('li', {}, element('a', { href, title }, element('span', {}, path), element('span', {}, badge)))
}

/** Shows the endpoint with this name, or the first one, and connects unless it is shown already. */
export function choose(name) {
  const post = http.find(({ path }) => `http:${path}` === name)
  const next = endpoints.find(({ pattern }) => pattern === name) ?? (name === '' ? shown?.endpoint : undefined) ?? endpoints[0]
  mark(post ? `#${name}` : `#${next?.pattern}`)
  if (post) return showPost(post)
  if (!next || (name === '' && shown)) return
  const url = `${scheme}://${location.host}${next.example}`
  if (shown) shown.use(next, url)
  else add(next, url)
  shown.frames.clear()
  show(shown)
  // In a frame it would be another page that connects.
  if (self === top) shown.connect()
}

/** Which endpoint it is. */
function mark(href) {
  for (const link of document.querySelectorAll('#view-try nav a')) {
    const isCurrent = link.getAttribute('href') === href
    isCurrent ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current')
    if (isCurrent) link.scrollIntoView({ block: 'nearest' })
  }
}

/** An endpoint that takes HTTP POST: what is written in the message box is its body. */
function showPost({ path }) {
  showCommands([['curl', `curl -d '{"solar_system_id":30000142}' ${location.origin}${path}`]])
}

function changed(client) {
  showClients()
  if (client === shown) showState()
}

function add(endpoint, url) {
  const client = new Client({ number: ++number, endpoint, url, onChange: changed, onLearn: learnt })
  clients.push(client)
  show(client)
  return client
}

/** Shows one client, with what is written for it. */
function show(client) {
  if (shown !== client) shown?.frames.show(false)
  shown = client
  client.frames.show(true)
  at('url').value = client.url
  at('subprotocols').value = client.subprotocols
  at('subprotocols').placeholder = client.endpoint.subprotocols.join(', ') || 'none'
  mark(`#${client.endpoint.pattern}`)
  showTalk()
  showClients()
  showState()
  showCommands()
}

/** Another client of the same endpoint, which connects. */
function addAnother() {
  if (clients.length >= MOST) return announce(`There are ${MOST} clients already; close one`, true)
  const { endpoint, url, subprotocols } = shown
  const client = add(endpoint, url)
  client.subprotocols = subprotocols
  show(client)
  client.connect()
}

function remove(client) {
  client.end()
  clients.splice(clients.indexOf(client), 1)
  if (client === shown) show(clients.at(-1))
  else showClients()
}

function showClients() {
  const focused = at('clients').contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : undefined
  at('clients').replaceChildren(
    ...clients.map((client) =>
      element(
        'span',
        { class: 'client', 'data-state': client.state },
        button(`${client.number} ${client.endpoint.pattern}`, () => show(client), { 'aria-pressed': String(client === shown), 'aria-label': `Client ${client.number} ${client.endpoint.pattern}, ${client.said}` }),
        clients.length > 1 && button('×', () => remove(client), { 'aria-label': `Close client ${client.number}` }),
      ),
    ),
    button('+', addAnother, { 'aria-label': 'Another client', title: 'Another client of this endpoint' }),
  )
  if (focused) at('clients').querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus()
}

function showTalk() {
  const { talk, values, endpoint } = shown
  const fields = Object.entries(talk.fields).map(([name, value]) => {
    values[name] ??= typeof value === 'function' ? value() : value
    const input = element('input', { id: `field-${name}`, autocomplete: 'off', oninput: ({ target }) => (values[name] = target.value) })
    input.value = values[name]
    input.onkeydown = (event) => {
      if (event.key === 'Enter' && talk.enter[name]) say(talk.enter[name])
    }
    return element('label', {}, name, input)
  })
  at('fields').replaceChildren(...fields)
  const presets = Object.keys(talk.presets).map((name) => button(name, () => say(name)))
  const examples = presets.length > 0 ? [] : (endpoint.messages ?? []).map((text) => button(text.slice(0, 40), () => sendText(text), { title: text }))
  at('presets').replaceChildren(...presets, ...examples)
}

/** Sends a preset, and leaves it in the message box to be changed. */
function say(preset) {
  const text = shown.talk.presets[preset](shown.values)
  if (preset === 'Say') {
    shown.values.say = ''
    at('field-say').value = ''
  }
  sendText(text)
}

function sendText(text) {
  fill(text)
  if (shown.send(text)) remember()
}

function learnt(client, values) {
  if (client !== shown) return
  for (const [name, value] of Object.entries(values)) at(`field-${name}`).value = value
}

function showState() {
  const { state, said, isOpen } = shown
  Object.assign(at('state'), { textContent: said }).dataset.state = state
  at('connect').textContent = state === 'closed' ? 'Connect' : 'Disconnect'
  at('send').disabled = !isOpen
  for (const preset of at('presets').children) preset.disabled = !isOpen
}

function showCommands(commands = ways()) {
  at('commands').replaceChildren(
    ...commands.map(([name, command]) =>
      element('div', {}, element('span', {}, name), element('code', { tabindex: '0' }, command), button('Copy', () => copy(command, `The ${name} command is copied`), { 'aria-label': `Copy the ${name} command` })),
    ),
  )
}

/** How to talk to the endpoint from elsewhere. */
function ways() {
  const { url, endpoint } = shown
  const { message } = endpoint
  const first = message ? ` -x ${quoted(message)} -w 60` : ''
  const offered = shown.offered()
  const subprotocols = offered.length > 0 ? `, ${JSON.stringify(offered)}` : ''
  const sending = message ? `ws.onopen = () => ws.send(${JSON.stringify(message)}); ` : ''
  return [
    ['wscat', `npx wscat -c ${quoted(url)}${offered.map((name) => ` -s ${quoted(name)}`).join('')}${first}`],
    ['curl', curl(url, offered)],
    ['JavaScript', `const ws = new WebSocket(${JSON.stringify(url)}${subprotocols}); ${sending}ws.onmessage = ({ data }) => console.log(data)`],
  ]
}

at('connection').onsubmit = (event) => {
  event.preventDefault()
  shown?.toggle()
}
at('url').oninput = () => {
  if (!shown) return
  shown.url = at('url').value
  showCommands()
}
at('subprotocols').oninput = () => {
  if (!shown) return
  shown.subprotocols = at('subprotocols').value
  showCommands()
}
at('clear').onclick = () => shown?.frames.clear()
onSend(() => {
  if (!shown) return
  const message = composed()
  if (message === undefined) return
  if (shown.send(message)) remember()
  else announce('This client is not connected', true)
})
