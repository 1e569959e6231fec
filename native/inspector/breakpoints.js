// The view of breakpoints: which there are, what they hold, and what becomes of it.

import { scopeName } from './actions.js'
import { ask } from './api.js'
import { ask as askFor } from './dialogs.js'
import { announce, button, element, empty, facts, table } from './elements.js'
import { link } from './live.js'
import { decodedOf } from './rows.js'
import { on, store } from './store.js'
import { clock, many, short, size } from './values.js'

/** What the server holds, as it was last told. */
const known = { breakpoints: [], held: [] }

/** So many of the held messages are listed; the others come when these are decided. */
const MOST_LISTED = 200

const view = document.getElementById('view-breakpoints')
const body = element('div', { class: 'scrolled', tabindex: '0', role: 'group', 'aria-label': 'Breakpoints' })
const editor = element('aside', { class: 'details', 'aria-label': 'The chosen message', hidden: true })
view.append(element('div', { class: 'split' }, body, editor))
const notice = element('div', { role: 'alert' })
document.getElementById('notices').append(notice)

/** The id of the message in the editor. */
let chosen
let isDue = false

on('held', soon)
on('link', () => link.state === 'live' && load())

/** Not more than ten times a second, however many are held. */
function soon() {
  if (isDue) return
  isDue = true
  setTimeout(() => {
    isDue = false
    load()
  }, 100)
}

/** Asks what there is. While this page is there, its breakpoints stay. */
export async function load() {
  try {
    Object.assign(known, await ask('/breakpoints'))
  } catch (error) {
    // A server that is away is told of elsewhere.
    if (error.status !== 404 && link.state === 'live') announce(error.message, true)
    return
  }
  showNotice()
  show()
}

export function show() {
  if (view.hidden) return
  const focused = body.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : undefined
  const { breakpoints, held } = known
  body.replaceChildren(
    element(
      'div',
      { class: 'bar' },
      element('h2', {}, `Breakpoints (${breakpoints.length})`),
      button('Hold messages…', () => add({ everyone: true }), { 'aria-keyshortcuts': 'h' }),
      breakpoints.length > 0 && button('Take all back', () => remove()),
    ),
    breakpoints.length === 0
      ? empty('None. A breakpoint holds messages that match, to look at them, change them or drop them before they go on.')
      : table('Breakpoints', ['for', 'messages', 'held so far', 'each at most', 'actions'], breakpoints.map((one) => [
          scopeName({ ...one, everyone: !one.connection && !one.route }),
          inWords(one),
          `${one.caught.toLocaleString('en')}${one.missed > 0 ? `, and ${many(one.missed, 'message')} went on: too much was held` : ''}`,
          `${one.timeout / 1_000} s`,
          button('Take back', () => remove(one.id), { 'aria-label': `Take back breakpoint ${one.id}` }),
        ])),
    element(
      'div',
      { class: 'bar' },
      element('h2', {}, `Held messages (${held.length})`),
      held.length > 0 && button('Pass all', () => decideAll('pass'), { 'aria-keyshortcuts': 'Shift+Y' }),
      held.length > 0 && button('Drop all', () => decideAll('drop')),
    ),
    held.length === 0
      ? empty('Nothing is held.')
      : table('Held messages', ['since', 'way', 'connection', 'message', 'size', 'actions'], held.slice(0, MOST_LISTED).map(rowOf)),
    held.length > MOST_LISTED ? empty(`${many(held.length - MOST_LISTED, 'more message')}.`) : '',
  )
  if (focused) body.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus()
  if (chosen !== undefined && !held.some(({ id }) => id === chosen)) closeEditor()
}

function rowOf(one) {
  const text = (one.text ?? `${one.binary} (base64)`).slice(0, 120) || '(empty)'
  return element(
    'tr',
    { class: one.id === chosen ? 'chosen' : null },
    [
      clock(one.at),
      one.direction === 'in' ? '↑ from the client' : '↓ to the client',
      `${short(one.connection)} ${one.path}`,
      button(text, () => choose(one.id), { class: 'link', 'aria-label': `${text}: look at held message ${one.id}` }),
      size(one.size),
      element(
        'div',
        { class: 'buttons' },
        button('Pass', () => decide(one.id, { action: 'pass' }), { 'aria-label': `Pass held message ${one.id}` }),
        button('Drop', () => decide(one.id, { action: 'drop' }), { 'aria-label': `Drop held message ${one.id}` }),
      ),
    ].map((cell) => element('td', {}, cell)),
  )
}

/** What a breakpoint holds, in words. */
function inWords({ direction, kind, contains, expression, limit }) {
  const ways = { in: 'from clients', out: 'to clients', both: 'both ways' }
  return [
    `${kind ?? 'all'} ${ways[direction]}`,
    contains && `with “${contains}”`,
    expression && `that match /${expression}/`,
    limit && `the next ${limit}`,
  ].filter(Boolean).join(', ')
}

function showNotice() {
  const { breakpoints, held } = known
  if (breakpoints.length === 0 && held.length === 0) return notice.replaceChildren()
  const focused = notice.contains(document.activeElement) ? document.activeElement.textContent : undefined
  notice.replaceChildren(
    element(
      'div',
      { class: held.length > 0 ? 'notice bad' : 'notice' },
      element('strong', {}, held.length > 0 ? `${many(held.length, 'message')} held: ` : `${many(breakpoints.length, 'breakpoint')}: `),
      element('span', {}, held.length > 0 ? 'what comes behind in the same direction waits.' : breakpoints.map((one) => `${inWords(one)} for ${scopeName({ ...one, everyone: !one.connection && !one.route })}`).join('; ')),
      element('a', { class: 'button', href: '#breakpoints' }, 'Show'),
      held.length > 0 && button('Pass all', () => decideAll('pass')),
      breakpoints.length > 0 && button('Take all back', () => remove()),
    ),
  )
  if (focused) [...notice.querySelectorAll('a, button')].find(({ textContent }) => textContent === focused)?.focus()
}

/** Asks for a breakpoint; begins with what a frame is like, if there is one. */
export function add(scope, frame) {
  const scopes = [scope, ...store.routes.map(({ route }) => ({ route })), { everyone: true }].map((one) => [JSON.stringify(one), scopeName(one)])
  const label = frame && decodedOf(frame)?.label
  const contains = label && frame.text?.includes(label) ? label : ''
  askFor({
    title: 'Hold messages',
    text: 'A message that matches waits here until you pass, change or drop it. What comes behind it in the same direction waits too.',
    fields: [
      { name: 'scope', label: 'Of', kind: 'choice', value: JSON.stringify(scope), options: [...new Map(scopes)] },
      { name: 'direction', label: 'Direction', kind: 'choice', value: frame?.direction ?? 'both', options: [['both', 'both ways'], ['in', 'from clients'], ['out', 'to clients']] },
      { name: 'kind', label: 'Kind', kind: 'choice', value: '', options: [['', 'text and binary'], ['text', 'text'], ['binary', 'binary']] },
      { name: 'contains', label: 'With the text', value: contains, hint: 'as it is, in the first 64 KiB; empty: whatever it says' },
      { name: 'expression', label: 'That match the regular expression', value: '', hint: 'without slashes, such as "type":\\s*"bid"' },
      { name: 'limit', label: 'At most', kind: 'number', value: '', hint: 'so many messages, then it ends; empty: all' },
      { name: 'timeout', label: 'Each for seconds', kind: 'number', value: '60', hint: 'then it goes on as it is; at most 600' },
    ],
    does: 'Hold',
    async act({ scope, direction, kind, contains, expression, limit, timeout }) {
      await ask('/breakpoints', {
        ...JSON.parse(scope),
        direction,
        kind: kind || undefined,
        contains: contains || undefined,
        expression: expression || undefined,
        limit: limit === '' ? undefined : Number(limit),
        timeout: Math.round(Number(timeout) * 1_000),
      })
      await load()
      return 'messages that match are held'
    },
  })
}

async function remove(id) {
  await doing(async () => {
    const { count } = await ask(id === undefined ? '/breakpoints' : `/breakpoints/${id}`, undefined, 'DELETE')
    announce(`${many(count, 'breakpoint')} taken back; what was held went on`)
  })
}

async function decide(id, decision) {
  await doing(async () => {
    await ask(`/held/${id}`, decision)
    announce(decision.action === 'drop' ? 'dropped' : 'passed')
  })
}

async function decideAll(action) {
  await doing(async () => {
    const { count } = await ask('/held', { action })
    announce(`${many(count, 'message')} ${action === 'drop' ? 'dropped' : 'passed'}`)
  })
}

/** Passes or drops the chosen message, or else the one that is held longest. */
export function decideFirst(action) {
  const id = chosen ?? known.held[0]?.id
  if (id !== undefined) decide(id, { action })
}

/** Passes everything that is held. */
export function passAll() {
  if (known.held.length > 0) decideAll('pass')
}

/** Does something, says what went wrong, and looks again either way. */
async function doing(act) {
  try {
    await act()
  } catch (error) {
    announce(error.message, true)
  }
  await load()
}

/** Shows a message with all of its payload, to be changed. */
async function choose(id) {
  let one
  try {
    one = await ask(`/held/${id}`)
  } catch (error) {
    announce(error.message, true)
    return load()
  }
  chosen = id
  const isBinary = one.text === undefined
  const before = isBinary ? one.binary : one.text
  const input = element('textarea', { rows: '12', spellcheck: 'false', 'aria-label': isBinary ? 'Payload in base64' : 'Payload' })
  input.value = before
  const pass = element('button', { type: 'button', onclick: passes }, 'Pass')
  const wrong = element('p', { class: 'failed', role: 'alert' })
  input.addEventListener('input', () => {
    pass.textContent = input.value === before ? 'Pass' : 'Pass changed'
    wrong.textContent = ''
  })
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) passes()
  })
  function passes() {
    decide(id, { action: 'pass', ...(input.value === before ? {} : { [isBinary ? 'binary' : 'text']: input.value }) })
  }
  function format() {
    try {
      input.value = JSON.stringify(JSON.parse(input.value), null, 2)
      input.dispatchEvent(new Event('input'))
    } catch (error) {
      wrong.textContent = error.message
    }
  }
  editor.hidden = false
  editor.replaceChildren(
    element('div', { class: 'bar' }, element('h2', {}, one.direction === 'in' ? 'From the client' : 'To the client'), button('×', closeEditor, { 'aria-label': 'Close the message' })),
    facts([
      ['connection', `${short(one.connection)} ${one.path}`],
      ['held since', clock(one.at)],
      ['goes on at', clock(one.until)],
      ['size', size(one.size)],
      ['breakpoint', one.breakpoint],
    ]),
    element('label', { class: 'column' }, element('span', {}, isBinary ? 'Payload, in base64' : 'Payload'), input),
    wrong,
    element('div', { class: 'buttons' }, pass, button('Drop', () => decide(id, { action: 'drop' })), !isBinary && button('Unfold JSON', format)),
    element('p', { class: 'hint' }, 'Ctrl+Enter passes it. Other messages of this direction wait behind it in their order.'),
  )
  input.focus()
  show()
}

function closeEditor() {
  chosen = undefined
  const hadFocus = editor.contains(document.activeElement)
  editor.hidden = true
  editor.replaceChildren()
  if (hadFocus) body.focus()
}

/** A breakpoint that is wanted for a frame. */
export function addLike(frame) {
  const scope = frame.connection ? { connection: frame.connection } : { route: frame.route }
  add(scope, frame)
}
