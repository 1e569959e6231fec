const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'

let ws

function connect() {
  ws = new WebSocket(`${scheme}://${server}/market`)
  ws.binaryType = 'arraybuffer'
  ws.onopen = () => {
    show('open')
    ws.send(JSON.stringify({ type: 'subscribe', id: 1, symbol: 'OTTR' }))
  }
  ws.onclose = (event) => {
    show('closed', event.reason)
    element('order').disabled = true
    element('again').hidden = false
  }
  ws.onmessage = (event) => {
    if (event.data instanceof ArrayBuffer) return drawDay(new Uint8Array(event.data))
    hear(JSON.parse(event.data))
  }
}

function hear(message) {
  if (message.type === 'subscribed') {
    element('name').textContent = message.name
    element('order').disabled = false
  }
  if (message.type === 'price') element('price').textContent = message.price.toFixed(2)
  if (message.type === 'accepted') line(message.id, `accepted: ${message.amount}`)
  if (message.type === 'filled') line(message.id, `bought at ${message.price.toFixed(2)}`)
  if (message.type === 'rejected') line(message.id, `rejected: ${message.reason}`)
}

element('order').onclick = () => {
  element('order').disabled = true
  const id = Math.random().toString(16).slice(2, 10)
  line(id, 'sent')
  ws.send(JSON.stringify({ type: 'order', id, symbol: 'OTTR', amount: 10 }))
}
element('again').onclick = () => {
  element('again').hidden = true
  connect()
}

/** One byte a price. */
function drawDay(prices) {
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline')
  const points = Array.from(prices, (price, index) => `${(100 * index) / (prices.length - 1)},${40 - ((price - 50) / 70) * 40}`)
  line.setAttribute('points', points.join(' '))
  element('day').replaceChildren(line)
}

/** Only answers with the number of an order of this page find their line. */
function line(id, text) {
  let item = document.querySelector(`#orders [data-id="${id}"]`)
  if (!item) {
    item = document.createElement('li')
    item.dataset.id = id
    element('orders').append(item)
  }
  item.replaceChildren(text, ' ', Object.assign(document.createElement('small'), { textContent: id }))
}

function show(status, reason = '') {
  element('status').className = status
  element('status').textContent = reason ? `${status}: ${reason}` : status
}

connect()
