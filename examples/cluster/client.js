// Clients that go on at the next server when theirs is gone. ?name=ada shows one that begins at the first server;
// without a name there is one for each server, side by side. ?servers=host:port,host:port names others.

import { openPresence } from './presence.js'
import { Room } from './room.js'

/** How long in ms it waits before it tries the next server. */
const AGAIN = 500

const query = new URLSearchParams(location.search)
const servers = (query.get('servers') ?? '127.0.0.1:4004,127.0.0.1:4005').split(',')
const name = query.get('name')
if (name) show(name, 0)
else servers.forEach((server, index) => show(`guest of ${server}`, index))

function show(name, first) {
  const section = document.querySelector('template').content.cloneNode(true).firstElementChild
  const part = (selector) => section.querySelector(selector)
  document.querySelector('main').append(section)
  const room = new Room(name, (text, kind) => {
    const line = item(part('ol'), text)
    line.className = kind
    line.scrollIntoView({ block: 'nearest' })
  })
  let at = first
  connect()

  part('form').onsubmit = (event) => {
    event.preventDefault()
    const input = part('input')
    if (room.say(input.value)) input.value = ''
  }

  function connect() {
    const server = servers[at % servers.length]
    part('h2').textContent = `${name} at ${server}`
    status('connecting')
    const presence = openPresence(server, name, list)
    const sockets = [presence, room.open(server, () => status('joined'))]
    for (const socket of sockets) socket.addEventListener('close', lost)

    // Both sockets are to be at the same server, so the end of one is that of the other.
    function lost() {
      for (const socket of sockets) {
        socket.removeEventListener('close', lost)
        socket.close()
      }
      status('closed')
      list(new Map())
      at += 1
      setTimeout(connect, AGAIN * (0.5 + Math.random()))
    }
  }

  function list(present) {
    part('ul').replaceChildren()
    for (const [who, count] of [...present].sort()) item(part('ul'), count > 1 ? `${who} ×${count}` : who)
  }

  function status(text) {
    part('[role=status]').textContent = text
  }
}

function item(parent, text) {
  const item = document.createElement('li')
  item.textContent = text
  parent.append(item)
  return item
}
