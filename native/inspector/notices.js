// What has to be seen on every view: faults in force, and a server that is away.

import * as actions from './actions.js'
import { keep } from './api.js'
import { button, element } from './elements.js'
import { link, listen } from './live.js'
import { on, store } from './store.js'
import { many } from './values.js'

const place = document.getElementById('notices')
const state = document.getElementById('link')
const [faults, token] = [element('div', { role: 'alert' }), element('div')]
place.append(faults, token)

on('faults', showFaults)
on('link', showLink)

function showFaults() {
  const { added, faults: known } = store.faults
  if (added === 0 && known.length === 0) return faults.replaceChildren()
  const focused = faults.contains(document.activeElement)
  faults.replaceChildren(
    element(
      'div',
      { class: 'notice bad' },
      element('strong', {}, 'Faults are in force: '),
      element('span', {}, known.length === 0 ? `${many(added, 'fault')} of the server’s own code` : known.map(inWords).join('; ')),
      button('Take all back', () => actions.removeFaults()),
    ),
  )
  if (focused) faults.querySelector('button').focus()
}

function inWords({ faults, ...scope }) {
  const everyone = !scope.connection && !scope.route
  return `${typeof faults === 'string' ? faults : JSON.stringify(faults)} for ${actions.scopeName({ ...scope, everyone })}`
}

const SAID = {
  off: 'no control API',
  connecting: 'connecting',
  live: 'live',
  lost: 'the server is away; trying again',
  unauthorized: 'the token is wrong',
}

function showLink() {
  state.textContent = SAID[link.state]
  state.title = link.why
  state.dataset.state = link.state
  document.body.dataset.link = link.state
  if (link.state !== 'off' && link.state !== 'unauthorized') return token.replaceChildren()
  const input = element('input', { id: 'token', autocomplete: 'off', spellcheck: 'false', type: 'password', required: true })
  const form = element('form', {}, element('label', {}, 'Token ', input), element('button', {}, 'Use it'))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    keep(input.value)
    listen()
  })
  token.replaceChildren(
    element(
      'div',
      { class: 'notice' },
      element('span', {}, link.state === 'off' ? OFF : 'The server has another token now: open the link that it prints, or paste its token.'),
      form,
    ),
  )
}

const OFF =
  '“Try” works without it. To see and steer every connection, start the server with --control (in Rust: Builder::control), and open the link that it prints, or paste its token here.'
