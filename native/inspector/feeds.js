// The view of feeds: what was published, how fast, and publishing.

import * as actions from './actions.js'
import { ask } from './api.js'
import { button, element, empty, table } from './elements.js'
import { tree } from './tree.js'
import { clock } from './values.js'

const SHOWN = 20

const view = document.getElementById('view-feeds')
const body = element('div', { class: 'scrolled', tabindex: '0', role: 'group', 'aria-label': 'Feeds' })
const values = element('aside', { class: 'details', 'aria-label': 'Latest values', hidden: true })
view.append(element('div', { class: 'split' }, body, values))

/** How much was published when it was last looked at, by feed. */
const before = new Map()
let chosen

export async function show() {
  if (view.hidden) return
  let feeds
  try {
    ;({ feeds } = await ask('/feeds'))
  } catch (error) {
    return body.replaceChildren(empty(error.message))
  }
  const now = performance.now()
  const rows = feeds.map(({ name, published, kept }) => {
    const last = before.get(name)
    const rate = last && now > last.at ? ((published - last.published) * 1_000) / (now - last.at) : 0
    before.set(name, { published, at: now })
    return { name, published, kept, rate: Math.max(0, rate) }
  })
  const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : undefined
  body.replaceChildren(
    element('h2', {}, `Feeds (${feeds.length})`),
    feeds.length === 0
      ? empty('The configuration has no feeds.')
      : table('Feeds', ['feed', 'published', 'a second', 'kept', 'actions'], rows.map(({ name, published, kept, rate }) => [
          button(name, () => choose(name), { class: 'link', 'aria-label': `Values of ${name}` }),
          published.toLocaleString('en'),
          rate.toFixed(1),
          kept.toLocaleString('en'),
          button('Publish…', () => publish(name), { 'aria-label': `Publish on ${name}` }),
        ])),
  )
  if (focused) body.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus()
}

// Rates are told from one look to the next.
setInterval(() => document.visibilityState === 'visible' && show(), 1_000)

async function publish(name) {
  const { values: [latest] = [] } = await ask(`/feeds/${encodeURIComponent(name)}?limit=1`).catch(() => ({}))
  actions.publish(name, latest?.value, () => chosen === name && choose(name))
}

async function choose(name) {
  chosen = name
  values.hidden = name === undefined
  if (name === undefined) return
  const feed = await ask(`/feeds/${encodeURIComponent(name)}?limit=${SHOWN}`)
  values.replaceChildren(
    element('div', { class: 'bar' }, element('h2', {}, name), button('Look again', () => choose(name)), button('×', () => choose(undefined), { 'aria-label': 'Close the values' })),
    ...(feed.values.length === 0 ? [empty('It keeps no values.')] : feed.values.map(({ at, value }) => element('section', { class: 'card', 'aria-label': `Value of ${clock(at)}` }, element('h3', {}, clock(at)), tree(value)))),
  )
}
