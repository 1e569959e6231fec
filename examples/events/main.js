const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'

const websocket = new WebSocket(`${scheme}://${server}/ws`)
const prices = []

websocket.onopen = () => {
  show('open')
  // Subscribe to ticker events
  websocket.send(JSON.stringify({ type: 'subscribe', event: 'ticker' }))
}
websocket.onclose = (event) => show('closed', ` (${event.code})`)
websocket.onmessage = (event) => {
  const message = JSON.parse(event.data)
  const name = message.name ?? message.event
  if (name === 'ticker' && message.data) tick(message.data.price)
  line(`${message.type} ${name ?? ''}`, JSON.stringify(message.data ?? message.error ?? message.message ?? ''))
}

for (const button of document.querySelectorAll('button')) {
  button.onclick = () => websocket.send(JSON.stringify({ type: button.dataset.type, event: button.dataset.event }))
}

function tick(price) {
  const before = prices.at(-1) ?? price
  prices.push(price)
  if (prices.length > 60) prices.shift()
  element('price').textContent = price.toFixed(2)
  element('price').className = price >= before ? 'up' : 'down'
  const [low, high] = [Math.min(...prices), Math.max(...prices)]
  const y = (value) => (high === low ? 20 : 38 - ((value - low) / (high - low)) * 36)
  const x = (index) => (prices.length === 1 ? 0 : (index / (prices.length - 1)) * 100)
  element('line').setAttribute('points', prices.map((value, index) => `${x(index)},${y(value)}`).join(' '))
}

function line(what, detail) {
  const item = document.createElement('li')
  item.append(`${what} `, Object.assign(document.createElement('small'), { textContent: detail }))
  element('messages').prepend(item)
  while (element('messages').childElementCount > 100) element('messages').lastChild.remove()
}

function show(status, detail = '') {
  element('status').className = status
  element('status').textContent = status + detail
}
