// The view of routes: what is served where, with which options, and what can be done to everyone there.

import * as actions from './actions.js'
import { button, element, empty, facts } from './elements.js'
import { loadRoutes } from './live.js'
import { record } from './recordings.js'
import { on, store } from './store.js'
import { many, size, time } from './values.js'

const view = document.getElementById('view-routes')
const body = element('div', { class: 'scrolled cards', tabindex: '0', role: 'group', 'aria-label': 'Routes' })
view.append(body)
on('routes faults', draw)

let last = ''

/** Asks for them again. */
export function show() {
  if (!view.hidden) loadRoutes().catch(() => {})
}

setInterval(() => document.visibilityState === 'visible' && show(), 2_000)

function draw() {
  if (view.hidden) return
  const now = JSON.stringify([store.routes, store.faults])
  // Not under the hands of who uses it.
  if (now === last && body.childElementCount > 0) return
  last = now
  const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : undefined
  body.replaceChildren(...(store.routes.length === 0 ? [empty('The configuration has no routes.')] : store.routes.map(card)))
  if (focused) body.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus()
}

function card(route) {
  const scope = { route: route.route }
  const faults = store.faults.faults.filter((fault) => fault.route && (fault.route === route.route || route.patterns.includes(fault.route)))
  return element(
    'section',
    { class: 'card', 'aria-label': `Route ${route.route}` },
    element('h2', { class: 'pattern' }, route.route, element('span', { class: 'label' }, route.dialect)),
    faults.map((fault) => element('p', { class: 'bad' }, `Faults${fault.room ? ` in room ${fault.room}` : ''}: ${JSON.stringify(fault.faults)} `, button('Take back', () => actions.removeFaults(fault.id), { 'aria-label': `Take back faults ${fault.id}` }))),
    facts([
      ['patterns', route.patterns.length === 0 ? 'none: it is disabled' : route.patterns.length > 1 ? route.patterns.join(', ') : null],
      ['connections', many(route.connections, 'connection')],
      ['rooms', route.rooms === 0 ? null : many(route.rooms, 'room')],
      ['who may connect', WHO[route.authentication] ?? route.authentication],
      ['subprotocols', route.subprotocols.join(', ')],
      ['compression', route.compression ? 'yes' : null],
      ['default room', route.defaultRoom],
      ['delay', route.delay ? time(route.delay) : null],
      ['heartbeat', route.heartbeat ? `every ${time(route.heartbeat)}` : null],
      ['closed after silence of', route.inactivityTimeout ? time(route.inactivityTimeout) : null],
      ['largest message', size(route.maxPayload)],
      ['for slow readers', `${size(route.maxOutbound)}, then ${OVERFLOW[route.overflow] ?? route.overflow}`],
      ['feeds', route.feeds.join(', ')],
      ['dropped messages', route.droppedMessages || null],
    ]),
    element(
      'div',
      { class: 'buttons' },
      route.patterns[0] && element('a', { class: 'button', href: `#${route.patterns[0]}`, 'aria-label': `Try ${route.route}` }, 'Try'),
      element('a', { class: 'button', href: `#frames?route=${encodeURIComponent(route.route)}`, 'aria-label': `Frames of ${route.route}` }, 'Frames'),
      button('Send…', () => actions.send(scope), { 'aria-label': `Send to everyone on ${route.route}` }),
      button('Faults…', () => actions.addFaults(scope), { 'aria-label': `Faults for ${route.route}` }),
      button('Record…', () => record(route.route), { 'aria-label': `Record ${route.route}` }),
      button('Close…', () => actions.close(scope), { 'aria-label': `Close everyone on ${route.route}` }),
    ),
  )
}

const WHO = {
  everyone: 'everyone',
  header: 'who shows the right header',
  token: 'who shows a token',
  function: 'whom a function lets in',
  dialect: 'whom the dialect lets in',
}

const OVERFLOW = { close: 'closed', dropOldest: 'the oldest go', pause: 'it is not read from' }
