// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
const username = `guest-${Math.random().toString(36).slice(2, 6)}`

/** A WebSocket that shows everything that comes, and tells `hear`. */
function connect(path, name, hear = () => {}) {
  const websocket = new WebSocket(`${scheme}://${server}/ws/${path}`)
  websocket.onmessage = (event) => {
    const message = JSON.parse(event.data)
    line(name, JSON.stringify(message))
    hear(message)
  }
  websocket.addEventListener('close', (event) => line(name, `closed with ${event.code} ${event.reason}`.trim()))
  return {
    websocket,
    send: (message) => websocket.send(JSON.stringify(message)),
  }
}

const chat = connect('chat', 'chat', ({ type }) => {
  if (type === 'welcome') chat.send({ type: 'join-room', room: 'lobby', username })
})
document.querySelector('#chat').onsubmit = (event) => {
  event.preventDefault()
  const { text } = event.target.elements
  chat.send({ type: 'message', room: 'lobby', text: text.value })
  text.value = ''
}

/** Subscribes, and resumes where it was when the connection has broken off. */
function follow(after) {
  const feed = connect('feed', 'feed', ({ type, seq }) => {
    if (type === 'value') after = seq
  })
  feed.websocket.onopen = () => feed.send(after ? { type: 'resume', after } : { type: 'subscribe' })
  feed.websocket.onclose = ({ code }) => {
    if (code === 1006) setTimeout(() => follow(after), 200)
  }
}
document.querySelector('#feed').onclick = () => follow(0)

document.querySelector('#order').onclick = () => {
  const order = connect('orders', 'order', ({ type }) => {
    if (type === 'error') order.send({ type: 'login', password: 'secret' })
    if (type === 'welcome') order.send({ type: 'order', item: 'tea' })
  })
  order.websocket.onopen = () => order.send({ type: 'login', password: 'guess' })
}

function line(name, text) {
  const list = document.querySelector(`[data-log="${name}"]`)
  list.prepend(Object.assign(document.createElement('li'), { textContent: text }))
  while (list.childElementCount > 100) list.lastChild.remove()
}
