const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'

const ws = new WebSocket(`${scheme}://${server}/rakit`)
/** Whom a message is for; null: everyone. */
let to = null

ws.onopen = () => {
  show('open')
  ws.send(JSON.stringify({ event: 'subscribe', channel: 'chat' }))
}
ws.onclose = () => show('closed')
ws.onmessage = (event) => {
  const data = JSON.parse(event.data)
  if (data.type === 'presence') return drawUsers(data.users)
  if (data.channel) return line(data.data, `${data.client_id} on ${data.channel}`)
  line(text(data.message), data.client_id ?? 'the server')
}

element('say').onsubmit = (event) => {
  event.preventDefault()
  const message = element('text').value
  if (element('channel').checked) ws.send(JSON.stringify({ event: 'message', channel: 'chat', data: message }))
  else if (to) ws.send(JSON.stringify({ to, message }))
  else ws.send(JSON.stringify({ message }))
  element('text').value = ''
}
element('channel').onchange = drawAudience

/** Whatever is not private comes as it was sent: {"message":"…"} as text. */
function text(message) {
  try {
    return JSON.parse(message).message ?? message
  } catch {
    return message
  }
}

function drawUsers(users) {
  if (!users.some(({ id }) => id === to)) to = null
  const items = users.map(({ id, name }) => {
    const item = document.createElement('li')
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: `${name} ${id}` })
    button.setAttribute('aria-pressed', String(id === to))
    button.onclick = () => {
      to = to === id ? null : id
      drawUsers(users)
    }
    item.append(button)
    return item
  })
  element('users').replaceChildren(...items)
  drawAudience()
}

function drawAudience() {
  const audience = element('channel').checked ? 'the channel “chat”' : (to ?? 'everyone')
  element('audience').textContent = `To ${audience}`
}

function line(message, from) {
  const item = document.createElement('li')
  item.append(message, ' ', Object.assign(document.createElement('small'), { textContent: from }))
  element('messages').append(item)
  item.scrollIntoView({ block: 'nearest' })
}

function show(status) {
  element('status').className = element('status').textContent = status
}
