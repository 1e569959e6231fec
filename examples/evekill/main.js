const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'

// As documented: {"action":"sub","channel":"kills"}; nothing is answered, kills just come.
const socket = new WebSocket(`${scheme}://${server}/ws`)
socket.onopen = () => {
  show('open')
  socket.send(JSON.stringify({ action: 'sub', channel: 'kills' }))
}
socket.onclose = () => show('closed')
socket.onmessage = (event) => {
  const message = JSON.parse(event.data)
  if (message.action === 'kill') line('kills', message.data)
}
element('sub').onclick = () => socket.send(JSON.stringify({ action: 'sub', channel: 'kills' }))
element('unsub').onclick = () => socket.send(JSON.stringify({ action: 'unsub', channel: 'kills' }))

// The later dialect: topics that the server computes for each killmail.
const topics = new WebSocket(`${scheme}://${server}/killmails`)
topics.onmessage = (event) => {
  const message = JSON.parse(event.data)
  switch (message.type) {
    case 'subscribed':
      element('chosen').textContent = message.data.topics.join(', ')
      break
    case 'killmail':
      line('matches', message.data)
      break
    case 'ping':
      topics.send(JSON.stringify({ type: 'pong', timestamp: message.timestamp }))
      break
    case 'error':
      element('chosen').textContent = message.message
  }
}
element('choose').onsubmit = (event) => {
  event.preventDefault()
  topics.send(JSON.stringify({ type: 'subscribe', topics: element('topics').value.split(/[\s,]+/) }))
}

function line(list, { killmail_id, system_name, total_value, victim }) {
  const item = document.createElement('li')
  const value = `${(total_value / 1e6).toFixed(1)} M ISK, ${system_name}, #${killmail_id}`
  item.append(`${victim.character_name} lost a ${victim.ship_name.en} `)
  item.append(Object.assign(document.createElement('small'), { textContent: value }))
  element(list).prepend(item)
  while (element(list).childElementCount > 100) element(list).lastChild.remove()
}

function show(status) {
  element('status').className = element('status').textContent = status
}
