// What the page can do to a server. A scope is `{ connection }`, `{ route }`, `{ route, room }` or `{ everyone: true }`.

import { ask as api } from './api.js'
import { ask } from './dialogs.js'
import { announce } from './elements.js'
import { parseJson } from './json.js'
import { loadConnections, loadFaults } from './live.js'
import { connectionOf } from './store.js'
import { many, short } from './values.js'

/** The conditions that have a name, and what they are like. */
export const CONDITIONS = [
  ['offline', 'offline: everything ends at once'],
  ['flaky', 'flaky: some openings are refused, messages are late or lost'],
  ['slow-3g', 'slow-3g: 400 ms, 50 kB a second'],
  ['high-latency', 'high-latency: 300 to 350 ms'],
  ['half-open', 'half-open: connected, and nothing passes'],
  ['restarting', 'restarting: closed after 10 s, some openings are refused'],
]

/** A scope in words. */
export function scopeName({ connection, route, room, everyone }) {
  if (everyone) return 'everyone'
  if (connection) {
    const path = connectionOf(connection)?.path
    return `${short(connection)}${path ? ` on ${path}` : ''}`
  }
  return room === undefined || room === null ? route : `room ${room} of ${route}`
}

/** Sends as the server; begins with a message that was there before, if there is one. */
export function send(scope, { text = '', kind = 'text' } = {}) {
  ask({
    title: `Send to ${scopeName(scope)}`,
    fields: [
      { name: 'message', label: 'Message', kind: 'lines', value: text },
      { name: 'kind', label: 'As', kind: 'choice', value: kind, options: [['text', 'text as it is'], ['json', 'JSON, which is checked'], ['binary', 'binary, written in base64']] },
    ],
    does: 'Send',
    async act({ message, kind }) {
      const body = kind === 'json' ? { json: parseJson(message) } : { [kind]: message }
      const { count } = await api(scope.connection ? '/send' : '/broadcast', { ...scope, ...body })
      return `sent to ${many(count, 'connection')}`
    },
  })
}

/** Sends what was sent before, as it was. */
export async function sendAtOnce(scope, { text, kind = 'text' }) {
  try {
    const { count } = await api(scope.connection ? '/send' : '/broadcast', { ...scope, [kind]: text })
    announce(`sent to ${many(count, 'connection')}`)
  } catch (error) {
    announce(error.message, true)
  }
}

/** Stops reading from clients for at most a minute, or reads again. */
export async function setReading(scope, isPaused) {
  try {
    const { count } = await api(isPaused ? '/pause' : '/resume', scope)
    announce(`${isPaused ? 'nothing is read from' : 'reading again from'} ${many(count, 'connection')}`)
    await loadConnections()
  } catch (error) {
    announce(error.message, true)
  }
}

/** Starts the closing handshake. */
export function close(scope) {
  ask({
    title: `Close ${scopeName(scope)}`,
    fields: [
      { name: 'code', label: 'Close code', kind: 'number', value: '1000', hint: '1000 to 1003, 1007 to 1014, or 3000 to 4999' },
      { name: 'reason', label: 'Reason', value: '' },
    ],
    does: 'Close',
    isGrave: true,
    async act({ code, reason }) {
      const { count } = await api('/close', { ...scope, code: Number(code), reason })
      return `closed ${many(count, 'connection')}`
    },
  })
}

/** Ends connections without a close frame. */
export function terminate(scope) {
  ask({
    title: `Terminate ${scopeName(scope)}`,
    text: 'Without a close frame: the client sees 1006.',
    does: 'Terminate',
    isGrave: true,
    async act() {
      const { count } = await api('/terminate', scope)
      return `terminated ${many(count, 'connection')}`
    },
  })
}

/** Lets things go wrong on purpose. */
export function addFaults(scope) {
  ask({
    title: `Faults for ${scopeName(scope)}`,
    fields: [
      { name: 'condition', label: 'Condition', kind: 'choice', value: 'flaky', options: [...CONDITIONS, ['', 'faults written as JSON below']] },
      { name: 'json', label: 'Faults', kind: 'lines', value: '{ "on": "send", "latency": 400 }', hint: 'one fault or a list of them, as in the configuration' },
    ],
    does: 'Add',
    isGrave: true,
    async act({ condition, json }) {
      await api('/faults', { ...scope, faults: condition || parseJson(json) })
      await loadFaults()
      return 'the faults are in force'
    },
  })
}

/** Takes faults back: those with this id, or all. */
export async function removeFaults(id) {
  try {
    await api(id === undefined ? '/faults' : `/faults/${id}`, undefined, 'DELETE')
    await loadFaults()
    announce('the faults are taken back')
  } catch (error) {
    announce(error.message, true)
  }
}

/** Publishes a value on a feed. */
export function publish(feed, example, done) {
  ask({
    title: `Publish on ${feed}`,
    fields: [{ name: 'value', label: 'Value, as JSON', kind: 'lines', value: example === undefined ? '{}' : JSON.stringify(example, null, 2) }],
    does: 'Publish',
    async act({ value }) {
      const { count } = await api(`/feeds/${encodeURIComponent(feed)}`, { value: parseJson(value) })
      done?.()
      return `published to ${many(count, 'route')}`
    },
  })
}

/** Makes the server like a fresh one. */
export function reset() {
  ask({
    title: 'Reset the server',
    text: 'Closes all connections, takes back faults, forgets what feeds keep and what was counted. Routes stay.',
    does: 'Reset',
    isGrave: true,
    async act() {
      const { count } = await api('/reset', {})
      await loadFaults()
      return `reset; ${many(count, 'connection')} closed`
    },
  })
}
