import * as currentView from './view.js'

let view = currentView
const events = []
const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
const socket = new WebSocket(`${scheme}://${server}/api/ws/chat`)
let joinedRoom = null

socket.onopen = () => showStatus('open')
socket.onclose = (event) => {
  showStatus('closed', ` (${event.code} ${event.reason})`)
  showRoom(null)
}
socket.onmessage = (event) => {
  events.push(JSON.parse(event.data))
  drawLast()
}

element('username').value = `Guest ${Math.floor(Math.random() * 900 + 100)}`

element('room-form').onsubmit = (event) => {
  event.preventDefault()
  leave()
  const room = element('room').value
  send({ type: 'join-room', room, username: element('username').value })
  showRoom(room)
  element('text').focus()
}

element('leave').onclick = leave

element('message-form').onsubmit = (event) => {
  event.preventDefault()
  const room = joinedRoom ?? element('room').value
  send({ type: 'message', room, username: element('username').value, text: element('text').value })
  element('text').value = ''
}

function leave() {
  if (joinedRoom !== null) {
    send({ type: 'leave-room', room: joinedRoom })
    showRoom(null)
  }
}

function send(message) {
  if (socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify(message))
  }
}

function showStatus(status, detail = '') {
  element('status').className = status
  element('status').textContent = status + detail
}

function showRoom(room) {
  joinedRoom = room
  element('join').textContent = room === null ? 'Join' : 'Switch'
  element('leave').disabled = room === null
}

function drawLast() {
  const line = view.line(events.at(-1), element('username').value)
  element('log').append(line)
  line.scrollIntoView({ block: 'end' })
}

function drawAll() {
  element('title').textContent = view.title
  element('log').replaceChildren(...events.map((event) => view.line(event, element('username').value)))
}

drawAll()

if (import.meta.hot) {
  import.meta.hot.accept('./view.js', (changed) => {
    view = changed
    drawAll()
  })
}
