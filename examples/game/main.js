const CELLS = 36
const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
const socket = new WebSocket(`${scheme}://${server}/api/ws/game`)
let gameId = null

socket.onclose = (event) => showStatus(`closed (${event.code} ${event.reason})`)
socket.onmessage = ({ data }) => {
  const event = JSON.parse(data)
  switch (event.type) {
    case 'joined-lobby':
      showStatus('in the lobby')
      element('create').disabled = element('join').disabled = false
      break
    case 'game-created':
      play(event.gameId)
      break
    case 'player-joined':
      showStatus(`in game ${gameId}, another player came`)
      break
    case 'game-update':
      paint(event.action.cell, event.playerId)
      break
  }
}

element('create').onclick = () => send({ type: 'create-game' })

element('join-form').onsubmit = (event) => {
  event.preventDefault()
  const id = element('game-id').value.trim()
  send({ type: 'join-game', gameId: id })
  play(id)
}

for (let cell = 0; cell < CELLS; cell += 1) {
  const button = document.createElement('button')
  button.setAttribute('aria-label', `Cell ${cell}`)
  button.dataset.cell = cell
  button.disabled = true
  button.onclick = () => send({ type: 'game-action', gameId, action: { cell } })
  element('board').append(button)
}

function play(id) {
  gameId = id
  element('game-id').value = id
  showStatus(`in game ${id}`)
  for (const button of element('board').children) {
    button.disabled = false
    button.style.backgroundColor = ''
    delete button.dataset.player
  }
}

function paint(cell, playerId) {
  const button = element('board').children[cell]
  if (button) {
    button.dataset.player = playerId
    button.style.backgroundColor = colour(playerId)
  }
}

// Every browser gives a player the same colour, for it follows from the id alone.
function colour(playerId) {
  let hue = 0
  for (const character of playerId) {
    hue = (hue * 31 + character.codePointAt(0)) % 360
  }
  return `hsl(${hue} 70% 60%)`
}

function send(message) {
  if (socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify(message))
  }
}

function showStatus(text) {
  element('status').textContent = text
}
