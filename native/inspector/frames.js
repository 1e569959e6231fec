// The view of frames: every message of every connection, and what else happened, as it comes.

import { showDetails } from './details.js'
import { ask } from './dialogs.js'
import { announce, button, element, empty } from './elements.js'
import { everything, filterOf, KINDS, routeName } from './filter.js'
import { List } from './list.js'
import { showControlFrames } from './live.js'
import { Ring } from './ring.js'
import { row } from './rows.js'
import { download, fileName, harOf, recordingOf } from './saves.js'
import { clearFrames, connectionOf, on, store } from './store.js'
import { many, short } from './values.js'

/** How long in ms the page may be kept busy at once when it filters. */
const SLICE = 8

const view = document.getElementById('view-frames')
const asked = everything()
let matches = new Ring(Infinity)
let isShown = filterOf(asked)
let shownTime = 'clock'
let sifting = 0
/** Up to which frame all are sifted. */
let sifted = 0

const list = new List({
  label: 'Frames',
  items: matches,
  row: (item, index) => row(item, index > 0 ? matches.at(index - 1) : undefined, shownTime),
  onChoose: (item) => showDetails(details, item, { close: () => choose(undefined), filter }),
})
const details = element('aside', { class: 'details', 'aria-label': 'Details of the chosen frame', hidden: true })
const nothing = empty()
const text = element('input', { type: 'search', id: 'filter', placeholder: 'Filter: text or /expression/', spellcheck: 'false', autocomplete: 'off', 'aria-label': 'Filter by text or /regular expression/' })
const wrong = element('span', { class: 'wrong', role: 'alert' })
const direction = choice('Direction', [['both', 'both ways'], ['in', 'from clients'], ['out', 'to clients']])
const kind = choice('Kind', Object.entries(KINDS))
const route = choice('Route', [['', 'all routes']])
const room = choice('Room', [['', 'all rooms']])
const times = choice('Time', [['clock', 'time of day'], ['opening', 'since the opening'], ['before', 'since the one before']])
const pings = element('label', {}, element('input', { type: 'checkbox', id: 'control-frames' }), 'Control frames')
const chip = element('span', { class: 'chip', hidden: true })
const pause = button('Pause', () => setPaused(!store.isPaused), { 'aria-pressed': 'false' })
const following = button('Follow', () => list.follow(!list.isFollowing), { 'aria-pressed': 'true' })
const count = element('span', { class: 'count' })

view.append(
  element('div', { class: 'tools', role: 'toolbar', 'aria-label': 'Filters' }, text, wrong, chip, direction, kind, route, room, times, pings, element('span', { class: 'gap' }), count, button('Next error', nextError), following, pause, button('Save…', save), button('Clear', clear)),
  element('div', { class: 'split' }, element('div', { class: 'listed' }, nothing, list.element), details),
)

for (const [key, control] of Object.entries({ text, direction, kind, route, room })) {
  control.addEventListener('input', () => filter({ [key]: control.value }))
}
times.addEventListener('input', () => {
  shownTime = times.value
  list.redraw()
})
text.addEventListener('keydown', (event) => {
  if (['Enter', 'Escape', 'ArrowDown'].includes(event.key)) focusList()
})
pings.firstChild.addEventListener('change', ({ target }) => {
  showControlFrames(target.checked)
  filter({ hidesControl: !target.checked })
})
list.onFollow = (isFollowing) => following.setAttribute('aria-pressed', isFollowing)

on('frame', (frame) => {
  // What is still to be sifted is sifted in its turn.
  if (frame.number === sifted) {
    sifted++
    if (isShown(frame)) matches.push(frame)
  }
  refresh()
})
on('frames', refresh)
on('cleared', () => {
  matches.clear()
  choose(undefined)
  refresh()
})
on('routes', () => options(route, [['', 'all routes'], ...store.routes.map((known) => [known.route, routeName(known.route)])]))
on('rooms connections', showRooms)

/** Shows only some frames: what is not given stays as it was. */
export function filter(given) {
  Object.assign(asked, given)
  for (const [key, control] of Object.entries({ text, direction, kind, route, room })) {
    if (control.value !== asked[key]) control.value = asked[key]
  }
  try {
    isShown = filterOf(asked)
    wrong.textContent = ''
  } catch (error) {
    wrong.textContent = error.message
    return
  }
  chip.hidden = asked.connection === ''
  chip.replaceChildren(
    `connection ${short(asked.connection)} ${connectionOf(asked.connection)?.path ?? ''} `,
    button('×', () => filter({ connection: '' }), { 'aria-label': 'Show all connections' }),
  )
  sift()
}

/** Shows all frames again. */
export function showAll() {
  filter({ ...everything(), hidesControl: asked.hidesControl })
}

/** Puts the cursor into the filter. */
export function focusFilter() {
  text.focus()
  text.select()
}

/** Leaves new frames out, or takes them again. */
export function setPaused(isPaused) {
  store.isPaused = isPaused
  if (!isPaused) store.leftOut = 0
  pause.setAttribute('aria-pressed', isPaused)
  pause.textContent = isPaused ? 'Go on' : 'Pause'
  refresh()
}

export function togglePause() {
  setPaused(!store.isPaused)
}

export function clear() {
  clearFrames()
}

/** Chooses the first error after the chosen frame, or the first one of all. */
export function nextError() {
  const start = list.chosen === undefined ? 0 : list.after(list.chosen)
  for (const [from, to] of [[start, matches.length], [0, start]]) {
    for (let index = from; index < to; index++) {
      if (matches.at(index).isError) return choose(matches.at(index).number)
    }
  }
  announce('there is no error among the frames that are shown')
}

/** Keeps the rows that are shown as a file. */
export function save() {
  const rows = matches.items()
  ask({
    title: `Save ${many(rows.length, 'row')}`,
    text: 'What is shown now, as it is: nothing is masked. Messages of which only the beginning is here become gaps.',
    fields: [{ name: 'format', label: 'As', kind: 'choice', value: 'jsonl', options: [['jsonl', 'a recording (JSON Lines), which can be replayed'], ['har', 'HAR, which Chrome’s network panel imports']] }],
    does: 'Save',
    async act({ format }) {
      const { text, leftOut } = recordingOf(rows)
      download(fileName(format), format === 'har' ? harOf(text) : text)
      return leftOut === 0 ? 'saved' : `saved without ${many(leftOut, 'row')} that are cut, or that such a file has no place for`
    },
  })
}

export function focusList() {
  list.element.focus()
}

/** The chosen frame. */
export function chosen() {
  const index = list.chosen === undefined ? -1 : list.indexOf(list.chosen)
  return index === -1 ? undefined : matches.at(index)
}

let isDrawDue = false

export function refresh() {
  // What the store has forgotten goes here too.
  const first = store.frames.length > 0 ? store.frames.at(0).number : Infinity
  while (matches.length > 0 && matches.at(0).number < first) matches.shift()
  if (view.hidden || isDrawDue) return
  isDrawDue = true
  // Not for each of a thousand frames.
  requestAnimationFrame(() => {
    isDrawDue = false
    draw()
  })
}

function draw() {
  const all = store.frames.length
  const parts = [matches.length === all ? many(all, 'row') : `${matches.length.toLocaleString('en')} of ${many(all, 'row')}`]
  if (store.frames.gone > 0 && all > 0) parts.push(`${store.frames.gone.toLocaleString('en')} older ones forgotten`)
  if (store.isPaused) parts.push(`${store.leftOut.toLocaleString('en')} left out`)
  count.textContent = parts.join(', ')
  nothing.hidden = matches.length > 0
  nothing.textContent = all > 0 ? 'No row passes the filter.' : 'Nothing has happened yet. Open a page that connects, or use “Try”: every opening, message and end appears here.'
  list.refresh()
}

function choose(number) {
  if (number === undefined) {
    list.chosen = undefined
    showDetails(details, undefined)
    list.refresh()
    return
  }
  list.choose(number)
}

/** Goes through all frames again, a slice at a time. */
function sift() {
  const run = ++sifting
  matches.clear()
  matches.gone = 0
  list.gone = undefined
  sifted = store.frames.length > 0 ? store.frames.at(0).number : 0
  const slice = () => {
    if (run !== sifting) return
    const end = performance.now() + SLICE
    const { frames } = store
    const last = frames.last()?.number ?? -1
    while (sifted <= last && performance.now() < end) {
      const offset = sifted - frames.at(0).number
      // It may have gone meanwhile.
      const frame = offset < 0 ? frames.at(0) : frames.at(offset)
      if (isShown(frame)) matches.push(frame)
      sifted = frame.number + 1
    }
    if (sifted <= last) setTimeout(slice)
    refresh()
  }
  slice()
  list.redraw()
}

let isRoomsDue = false

/** Not for each of a thousand that join. */
function showRooms() {
  if (isRoomsDue) return
  isRoomsDue = true
  setTimeout(() => {
    isRoomsDue = false
    const rooms = new Set([...store.connections.values()].flatMap(({ rooms }) => rooms))
    if (asked.room) rooms.add(asked.room)
    options(room, [['', 'all rooms'], ...[...rooms].sort().slice(0, 500).map((name) => [name])])
  }, 250)
}

function choice(label, all) {
  const made = element('select', { 'aria-label': label })
  options(made, all)
  return made
}

function options(select, all) {
  const { value } = select
  select.replaceChildren(...all.map(([value, text = value]) => element('option', { value }, text)))
  select.value = value || all[0][0]
  if (select.selectedIndex === -1) select.selectedIndex = 0
}
