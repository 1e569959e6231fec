// The view of charts: the last minutes in figures, the clock of the server, and its reset.

import * as actions from './actions.js'
import { ask } from './api.js'
import { announce, button, element, facts } from './elements.js'
import { Ring } from './ring.js'
import { currentSecond, on, store } from './store.js'
import { clock, many, size, time } from './values.js'

const [WIDTH, HEIGHT] = [300, 60]

const view = document.getElementById('view-charts')
const figures = element('div', { class: 'charts' })
const server = element('section', { class: 'card', 'aria-label': 'Server' })
const time_ = element('section', { class: 'card', 'aria-label': 'Clock' })
view.append(element('div', { class: 'scrolled', tabindex: '0', role: 'group', 'aria-label': 'Charts' }, figures, element('div', { class: 'cards' }, server, time_)))

/** What the server held in each of the last seconds in which somebody looked. */
const samples = new Ring(300)

/** What is drawn: lines of numbers, the latest last. */
const CHARTS = [
  { title: 'Connections', of: () => [['open', series(samples, ({ connections }) => connections)]] },
  { title: 'Messages a second', of: () => [['from clients', passed('in')], ['to clients', passed('out')]] },
  { title: 'Bytes a second', unit: size, of: () => [['from clients', rates(({ clientBytes }) => clientBytes.received)], ['to clients', rates(({ clientBytes }) => clientBytes.sent)]] },
  { title: 'Backlog', unit: size, of: () => [['before handlers', series(samples, ({ clientBytes }) => clientBytes.undecoded + clientBytes.waiting)], ['to be sent', series(samples, ({ clientBytes }) => clientBytes.queued)]] },
  { title: 'Handler time', unit: time, of: () => [['median', series(samples, ({ handlerTime }) => handlerTime?.median ?? 0)], ['99th percentile', series(samples, ({ handlerTime }) => handlerTime?.p99 ?? 0)]] },
  { title: 'Errors and faults', of: () => [['errors a second', passed('errors')], ['faults in force', series(samples, ({ faults }) => faults)]] },
  { title: 'Calls and timers', of: () => [['calls under way', series(samples, ({ calls }) => calls)], ['timers', series(samples, ({ timers }) => timers)]] },
]

const charts = CHARTS.map((chart) => {
  const lines = [0, 1].map((index) => drawn('polyline', { class: `line${index}`, fill: 'none', 'vector-effect': 'non-scaling-stroke' }))
  const svg = drawn('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' }, ...lines)
  const [most, legend] = [element('span', { class: 'most' }), element('p', { class: 'legend' })]
  figures.append(element('section', { class: 'card', 'aria-label': chart.title }, element('div', { class: 'bar' }, element('h2', {}, chart.title), most), svg, legend))
  return { ...chart, lines, svg, most, legend }
})

export function show() {
  poll()
}

on('faults', () => !view.hidden && showServer())
setInterval(poll, 1_000)

async function poll() {
  if (view.hidden || document.visibilityState !== 'visible') return
  try {
    const [stats, time] = await Promise.all([ask('/stats'), ask('/clock')])
    samples.push({ ...stats, faults: store.faults.added, at: performance.now() })
    draw()
    showServer(stats)
    showClock(time)
  } catch {
    // The page says elsewhere that the server is away.
  }
}

function draw() {
  for (const { of, unit = (number) => number.toLocaleString('en', { maximumFractionDigits: 1 }), title, lines, svg, most, legend } of charts) {
    const all = of()
    const top = Math.max(1, ...all.flatMap(([, values]) => values))
    all.forEach(([, values], index) => {
      // The newest is at the right edge.
      const points = values.map((value, at) => `${WIDTH - (values.length - 1 - at)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 6)).toFixed(1)}`)
      lines[index].setAttribute('points', points.join(' '))
    })
    most.textContent = `at most ${unit(top)}`
    const now = all.map(([name, values]) => `${name} ${unit(values.at(-1) ?? 0)}`)
    svg.setAttribute('aria-label', `${title}: ${now.join(', ')}`)
    legend.replaceChildren(...now.map((text, index) => element('span', { class: `line${index}` }, text)))
  }
}

function showServer(stats = samples.last()) {
  if (!stats) return
  const totals = stats.clientBytes
  server.replaceChildren(
    element('h2', {}, 'Server'),
    facts([
      ['version', store.server?.version],
      ['takes connections', store.server && (store.server.isServing ? 'yes' : 'no: it stops')],
      ['since its start', `${size(totals.received)} from clients, ${size(totals.sent)} to clients`],
      ['outgoing connections', stats.upstreams || null],
      ...cluster(stats.cluster),
      ['dropped for slow readers', Object.entries(stats.droppedMessages).map(([route, count]) => `${route}: ${count}`).join(', ')],
      ['faults added', store.faults.added || null],
      ['missed by this page', store.missed ? many(store.missed, 'event') : null],
    ]),
    element(
      'div',
      { class: 'buttons' },
      button('Faults for everyone…', () => actions.addFaults({ everyone: true })),
      button('Close everyone…', () => actions.close({ everyone: true })),
      button('Terminate everyone…', () => actions.terminate({ everyone: true })),
      button('Reset…', actions.reset),
    ),
  )
}

function cluster(seen) {
  if (!seen) return []
  const others = seen.others.length ? `with ${seen.others.join(', ')}` : 'alone'
  return [
    ['node of a cluster', `${seen.node}, ${others}`],
    ['broker', seen.isLinked ? 'linked' : 'no link: this server serves its own clients alone'],
    ['between nodes', `${many(seen.received, 'message')} came, ${seen.lost} lost, ${seen.unsent} not sent`],
  ]
}

function showClock({ now, next, isManual, isMovable }) {
  // Not under the hands of who uses it.
  if (time_.contains(document.activeElement) && time_.dataset.manual === String(isManual)) {
    time_.querySelector('dd').textContent = clock(now)
    return
  }
  time_.dataset.manual = isManual
  const move = async (step, said) => {
    try {
      showClock(await ask('/clock', step))
      announce(said)
    } catch (error) {
      announce(error.message, true)
    }
  }
  time_.replaceChildren(
    element('h2', {}, 'Clock'),
    facts([
      ['now', clock(now)],
      ['next timer', next === null || next === undefined ? 'none' : `in ${time(next)}`],
      ['moves', isManual ? 'only when it is told to' : 'by itself'],
    ]),
    isMovable
      ? element(
          'div',
          { class: 'buttons' },
          isManual ? button('Let it run', () => move({ resume: true }, 'time passes by itself')) : button('Stop it', () => move({ pause: true }, 'time stands still')),
          isManual && [1_000, 10_000, 60_000].map((ms) => button(`+${ms / 1_000} s`, () => move({ advance: ms }, `moved on by ${time(ms)}`))),
          isManual && button('To the next timer', () => move({ runNext: true }, 'the next timer has run')),
        )
      : element('p', { class: 'hint' }, 'The clock of this server shows real time and cannot be moved.'),
  )
}

function series(ring, of) {
  return Array.from({ length: ring.length }, (_, index) => of(ring.at(index)))
}

/** How much a count grew a second. */
function rates(of) {
  const values = []
  for (let index = 1; index < samples.length; index++) {
    const [before, now] = [samples.at(index - 1), samples.at(index)]
    values.push(Math.max(0, ((of(now) - of(before)) * 1_000) / Math.max(1, now.at - before.at)))
  }
  return values
}

/** What passed in each second, without the one that is under way. */
function passed(key) {
  currentSecond()
  return series(store.seconds, (second) => second[key]).slice(0, -1)
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}
