const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'

const websocket = new WebSocket(`${scheme}://${server}/orders/coffee`)
let orders = 0

websocket.onopen = () => show('open')
websocket.onclose = (event) => show('closed', ` (${event.code})`)
websocket.onmessage = ({ data }) => {
  const message = JSON.parse(data)
  if (message.type === 'price') element('price').textContent = `${message.price.toFixed(2)} each`
  line(data)
}

element('order').onsubmit = (event) => {
  event.preventDefault()
  orders += 1
  // An amount of 0 breaks the contract: the answer says why.
  websocket.send(JSON.stringify({ type: 'order', id: `order-${orders}`, amount: event.target.amount.valueAsNumber }))
}

function line(text) {
  const item = document.createElement('li')
  item.textContent = text
  element('messages').prepend(item)
}

function show(state, detail = '') {
  element('status').className = state
  element('status').textContent = state + detail
}
