import { Presence, Socket } from 'phoenix'

const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'

const socket = new Socket(`${scheme}://${server}/socket`, { params: { client_identifier: 'example' } })
socket.onOpen(() => show('open'))
socket.onClose(() => show('closed'))
socket.connect()

// The killmail channel: one subscribes to systems, on joining and later.
const systems = new Map([
  [30000142, 'Jita'],
  [30002187, 'Amarr'],
  [30002053, 'Hek'],
])
const lobby = socket.channel('killmails:lobby', { systems: [30000142] })
lobby.on('killmail_update', ({ system_id, killmails }) => {
  for (const { killmail_id, victim } of killmails) {
    line('kills', `${victim.character_name} lost a ${victim.ship_type_name}`, `${systems.get(system_id)}, #${killmail_id}`)
  }
})
lobby.join().receive('ok', ({ subscribed_systems }) => {
  for (const box of element('systems').querySelectorAll('input')) box.checked = subscribed_systems.includes(Number(box.value))
})

for (const [id, name] of systems) {
  const label = document.createElement('label')
  const box = Object.assign(document.createElement('input'), { type: 'checkbox', value: id })
  box.onchange = () => lobby.push(box.checked ? 'subscribe_systems' : 'unsubscribe_systems', { systems: [id] })
  label.append(box, ` ${name}`)
  element('systems').append(label)
}

// A channel that just broadcasts, with presence.
const user = `guest-${Math.floor(Math.random() * 900 + 100)}`
const room = socket.channel('room:lobby', { user_id: user })
const presence = new Presence(room)
presence.onSync(() => {
  element('present').textContent = presence.list((id) => id).join(', ')
})
room.on('shout', ({ from, text }) => line('chat', text, from))
room.join()

element('say').onsubmit = (event) => {
  event.preventDefault()
  room.push('shout', { from: user, text: element('text').value })
  element('text').value = ''
}

function line(list, text, detail) {
  const item = document.createElement('li')
  item.append(text, ' ', Object.assign(document.createElement('small'), { textContent: detail }))
  element(list).prepend(item)
  while (element(list).childElementCount > 100) element(list).lastChild.remove()
}

function show(status) {
  element('status').className = element('status').textContent = status
}
