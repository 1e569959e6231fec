// The view of recordings: what is written to files now, and files to keep, to look at elsewhere, or to replay.

import { ask, askText } from './api.js'
import { ask as askUser, show as showDialog } from './dialogs.js'
import { announce, button, copy, element, empty, table } from './elements.js'
import { on, store } from './store.js'
import { download, fileName, harOf } from './saves.js'
import { many, size } from './values.js'

/** Recordings that this page has started or stopped: `{ name, route }`. */
const KEPT = 'switchboard-recordings'

const view = document.getElementById('view-recordings')
const body = element('div', { class: 'scrolled', tabindex: '0', role: 'group', 'aria-label': 'Recordings' })
const count = element('span', { class: 'count' })
view.append(element('div', { class: 'tools' }, count, element('span', { class: 'gap' }), button('Record…', () => record(), { class: '' })), body)
on('routes', () => show())
setInterval(() => document.visibilityState === 'visible' && show(), 1_000)

let last = ''

export async function show() {
  if (view.hidden) return
  let recordings
  try {
    ;({ recordings } = await ask('/recordings'))
  } catch (error) {
    if (last === '') body.replaceChildren(empty(error.message))
    return
  }
  const all = kept()
  const stopped = all.filter(({ name }) => !recordings.some((one) => one.name === name))
  const now = JSON.stringify([recordings, stopped])
  // Not under the hands of who uses it.
  if (now === last) return
  last = now
  count.textContent = recordings.length === 0 ? 'nothing is recorded' : `${many(recordings.length, 'file')} being written`
  const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : undefined
  body.replaceChildren(
    element('h2', {}, `Being written (${recordings.length})`),
    recordings.length === 0
      ? empty('Nothing is recorded. “Record…” writes what passes to a file of the server, without credentials, from then on.')
      : table('Recordings', ['file', 'of', 'events', 'size', 'state', 'actions'], recordings.map((one) => [
          one.name,
          one.routes.join(', ') || routeOf(all.find(({ name }) => name === one.name)),
          one.events.toLocaleString('en'),
          size(one.bytes),
          stateOf(one),
          element('div', { class: 'buttons' }, one.isStarted && button('Stop', () => stop(one.name), { 'aria-label': `Stop ${one.name}` }), files(one.name)),
        ])),
    ...(stopped.length === 0
      ? []
      : [
          element('h2', {}, `Stopped (${stopped.length})`),
          table('Stopped recordings', ['file', 'of', 'actions'], stopped.map(({ name, route }) => [name, routeOf({ route }), element('div', { class: 'buttons' }, files(name), button('Forget', () => forget(name), { 'aria-label': `Take ${name} off this list` }))])),
        ]),
    element('p', { class: 'hint' }, 'Frames that this page shows are saved by “Save…” of “Frames”.'),
  )
  if (focused) body.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus()
}

/** Starts a recording: of a route, or of everyone. */
export function record(route = '') {
  askUser({
    title: 'Record what passes',
    text: 'The server writes to a file in the folder of its recordings as long as it is not stopped. Credentials are left out.',
    fields: [
      { name: 'name', label: 'File', value: fileName('jsonl'), hint: 'letters, digits, ., _ and -, with .jsonl at the end; a file that is there is appended to' },
      { name: 'route', label: 'Of', kind: 'choice', value: route, options: [['', 'all routes'], ...store.routes.map((known) => [known.route])] },
      { name: 'mask', label: 'Other secrets', kind: 'lines', value: '', hint: 'regular expressions, one a line: what they match is written as ***' },
    ],
    does: 'Record',
    async act({ name, route, mask }) {
      const masks = mask.split('\n').map((line) => line.trim()).filter(Boolean)
      await ask('/recordings', { name, ...(route && { route }), ...(masks.length > 0 && { mask: masks }) })
      remember(name, route)
      show()
      return `${name} is being written`
    },
  })
}

async function stop(name) {
  try {
    await ask(`/recordings/${encodeURIComponent(name)}`, undefined, 'DELETE')
    remember(name)
    announce(`${name} is complete`)
  } catch (error) {
    announce(error.message, true)
  }
  show()
}

function files(name) {
  return [
    button('JSON Lines', () => fetched(name, (text) => download(name, text)), { 'aria-label': `Download ${name}` }),
    button('HAR', () => fetched(name, (text) => download(name.replace(/\.jsonl$/, '.har'), harOf(text))), { 'aria-label': `Download ${name} as HAR` }),
    button('Replay…', () => replay(name), { 'aria-label': `Replay ${name}` }),
  ]
}

async function fetched(name, act) {
  try {
    act(await askText(`/recordings/${encodeURIComponent(name)}`))
  } catch (error) {
    announce(error.message, true)
  }
}

/** A replay is a route of the configuration, which only its file can change. */
function replay(name) {
  const toml = `[[routes]]\npattern = "/replayed"\nreplay = { file = "recordings/${name}" }\n`
  const typescript = `routes: [{ pattern: '/replayed', replay: { file: 'recordings/${name}' } }]`
  const part = (title, text) => [
    element('div', { class: 'bar' }, element('h3', {}, title), button('Copy', () => copy(text), { 'aria-label': `Copy the lines for ${title}` })),
    element('pre', { tabindex: '0', 'aria-label': title }, text),
  ]
  showDialog(
    `Replay ${name}`,
    element('p', {}, 'A route of the configuration plays it to each client. Add one, with the path that your client asks for and the folder of your recordings; a server that runs takes it over by itself.'),
    ...part('switchboard.toml', toml),
    ...part('vite.config.ts', typescript),
  )
}

function stateOf({ hasFailed, missed, waiting, isStarted }) {
  if (hasFailed) return element('span', { class: 'wrong' }, 'the file cannot be written; the log says why')
  const parts = [isStarted ? 'started here' : 'of the configuration']
  if (missed) parts.push(`${many(missed, 'event')} left out: the disk is too slow`)
  if (waiting) parts.push(`${size(waiting)} to be written`)
  return parts.join(', ')
}

function routeOf(known) {
  if (known?.route === undefined) return 'started elsewhere'
  return known.route === '' ? 'all routes' : known.route
}

function remember(name, route = kept().find((one) => one.name === name)?.route) {
  keep([{ name, route }, ...kept().filter((one) => one.name !== name)])
}

function forget(name) {
  keep(kept().filter((one) => one.name !== name))
  show()
}

function kept() {
  try {
    const list = JSON.parse(sessionStorage.getItem(KEPT))
    return Array.isArray(list) ? list.filter((one) => typeof one?.name === 'string') : []
  } catch {
    return []
  }
}

function keep(list) {
  sessionStorage.setItem(KEPT, JSON.stringify(list.slice(0, 50)))
}
