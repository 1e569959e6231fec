// Elements, made so that text is always text: nothing here reads HTML.

/** An element with attributes (`on…` are listeners, `false` and `null` are left out) and children: elements or text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value)
    else made.setAttribute(key, value === true ? '' : value)
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false))
  return made
}

/** A button that does something. */
export function button(text, onclick, attributes = {}) {
  return element('button', { type: 'button', class: 'quiet', onclick, ...attributes }, text)
}

/** Terms and what they are; those without a value are left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
  return element('dl', { class: 'facts' }, known.map(([term, value]) => [element('dt', {}, term), element('dd', {}, value)]))
}

/** A table with a head; each row is a list of cells, or a `tr`. */
export function table(label, head, rows) {
  return element(
    'table',
    { 'aria-label': label },
    element('thead', {}, element('tr', {}, head.map((text) => element('th', { scope: 'col' }, text)))),
    element('tbody', {}, rows.map((row) => (row instanceof Element ? row : element('tr', {}, row.map((cell) => element('td', {}, cell)))))),
  )
}

/** What stands where there is nothing yet. */
export function empty(...children) {
  return element('p', { class: 'empty' }, ...children)
}

/** Says something to everyone, also to who does not see it. */
export function announce(text, isBad = false) {
  const place = document.getElementById('announcement')
  place.textContent = text
  place.className = isBad ? 'bad' : ''
  clearTimeout(announce.timer)
  announce.timer = setTimeout(() => (place.textContent = ''), 6_000)
}

/** Copies text to the clipboard, and says so. */
export async function copy(text, what = 'Copied') {
  try {
    await navigator.clipboard.writeText(text)
    announce(what)
  } catch (error) {
    announce(`Nothing was copied: ${error.message}`, true)
  }
}
