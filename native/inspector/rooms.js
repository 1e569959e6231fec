// The view of rooms, topics and who is present.

import * as actions from './actions.js'
import { ask } from './api.js'
import { button, element, empty, table } from './elements.js'
import { on, store } from './store.js'
import { tree } from './tree.js'
import { many, short } from './values.js'

const MOST = 300

const view = document.getElementById('view-rooms')
const body = element('div', { class: 'scrolled', tabindex: '0', role: 'group', 'aria-label': 'Rooms and presence' })
view.append(body)
on('rooms', soon)

let isDue = false
let last = ''

/** Not more than twice a second, however many join. */
function soon() {
  if (isDue || view.hidden) return
  isDue = true
  setTimeout(() => {
    isDue = false
    show()
  }, 500)
}

export async function show() {
  if (view.hidden) return
  let [rooms, presence] = []
  try {
    ;[rooms, presence] = await Promise.all([ask(`/rooms?limit=${MOST}`), ask('/presence?limit=100')])
  } catch (error) {
    if (last === '') body.replaceChildren(empty(error.message))
    return
  }
  const members = new Map()
  for (const { id, route, rooms } of store.connections.values()) {
    for (const room of rooms) {
      const key = `${route} ${room}`
      members.set(key, [...(members.get(key) ?? []), id])
    }
  }
  const now = JSON.stringify([rooms, presence, [...members]])
  // Not under the hands of who uses it.
  if (now === last) return
  last = now
  body.replaceChildren(
    element('h2', {}, `Rooms (${rooms.total.toLocaleString('en')})`),
    rooms.total === 0 ? empty('Nobody is in a room.') : table('Rooms', ['room', 'route', 'members', 'who', 'actions'], rooms.rooms.map((one) => {
      const scope = { route: one.route, room: one.room }
      const ids = members.get(`${one.route} ${one.room}`) ?? []
      return [
        one.room,
        one.route,
        one.members.toLocaleString('en'),
        [...ids.slice(0, 12).map((id) => element('a', { href: `#connections?id=${encodeURIComponent(id)}` }, short(id))), ids.length > 12 && ` and ${ids.length - 12} more`].flatMap((part, index) => (part && index > 0 ? [' ', part] : [part])).filter(Boolean),
        element(
          'div',
          { class: 'buttons' },
          element('a', { class: 'button', href: `#frames?room=${encodeURIComponent(one.room)}` }, 'Frames'),
          button('Send…', () => actions.send(scope), { 'aria-label': `Send to room ${one.room}` }),
          button('Faults…', () => actions.addFaults(scope), { 'aria-label': `Faults for room ${one.room}` }),
          button('Close…', () => actions.close(scope), { 'aria-label': `Close room ${one.room}` }),
        ),
      ]
    })),
    rooms.total > rooms.rooms.length ? empty(`${many(rooms.total - rooms.rooms.length, 'more room')}.`) : '',
    element('h2', {}, `Presence (${presence.total.toLocaleString('en')})`),
    ...(presence.total === 0 ? [empty('Nobody is present. The dialects `phoenix` and `commands` keep presence.')] : presence.presences.map((one) => element('section', { class: 'card', 'aria-label': `Presence on ${one.topic || one.route}` }, element('h3', {}, `${one.topic} ${one.route}`), tree(one.state)))),
  )
}
