// One client for each server, side by side. They speak Phoenix's protocol: [join ref, ref, topic, event, payload].

const TOPIC = 'room:lobby'
const HEARTBEAT = 30_000
const AGAIN = 1_000

const servers = new URLSearchParams(location.search).get('servers') ?? '127.0.0.1:4004,127.0.0.1:4005'
for (const server of servers.split(',')) show(server)

function show(server) {
  const section = document.querySelector('template').content.cloneNode(true).firstElementChild
  const part = (name) => section.querySelector(name)
  part('h2').textContent = server
  document.querySelector('main').append(section)
  const present = new Map()
  let socket
  let ref = 0
  connect()

  part('form').onsubmit = (event) => {
    event.preventDefault()
    const input = part('input')
    push('said', { from: server, text: input.value })
    input.value = ''
  }

  function connect() {
    status('connecting')
    socket = new WebSocket(`ws://${server}/socket/websocket?vsn=2.0.0`)
    socket.onopen = () => push('phx_join', { name: `guest of ${server}` })
    socket.onmessage = (event) => receive(JSON.parse(event.data))
    socket.onclose = () => {
      status('closed')
      present.clear()
      list()
      setTimeout(connect, AGAIN)
    }
  }

  function push(event, payload, topic = TOPIC) {
    if (socket.readyState !== WebSocket.OPEN) return
    ref += 1
    socket.send(JSON.stringify(['1', String(ref), topic, event, payload]))
  }

  function receive([, , , event, payload]) {
    switch (event) {
      case 'phx_reply':
        return status(payload.status === 'ok' ? 'joined' : 'refused')
      case 'presence_state':
        present.clear()
        return change(payload, {})
      case 'presence_diff':
        return change(payload.joins, payload.leaves)
      case 'said':
        return line(part('ol'), `${payload.from}: ${payload.text}`).scrollIntoView({ block: 'nearest' })
    }
  }

  function change(joins, leaves) {
    for (const key of Object.keys(joins)) present.set(key, joins[key])
    for (const key of Object.keys(leaves)) present.delete(key)
    list()
  }

  function list() {
    part('ul').replaceChildren()
    for (const key of [...present.keys()].sort()) line(part('ul'), key)
  }

  function status(text) {
    part('[role=status]').textContent = text
  }

  setInterval(() => push('heartbeat', {}, 'phoenix'), HEARTBEAT)
}

function line(parent, text) {
  const item = document.createElement('li')
  item.textContent = text
  parent.append(item)
  return item
}
