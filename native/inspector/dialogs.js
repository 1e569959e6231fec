// Dialogs that ask for what an action needs.

import { announce, button, element } from './elements.js'

/**
 * Opens a dialog with fields: `{ name, label, kind, value, options, hint }`, where `kind` is `text`, `number`, `lines` or
 * `choice`. `act` gets the values by name, and gives back what to say when it is done; what it throws is shown, and the dialog stays.
 */
export function ask({ title, text, fields = [], does, isGrave = false, act }) {
  const opener = document.activeElement
  const failed = element('p', { class: 'failed', role: 'alert' })
  const inputs = fields.map((field) => [field.name, input(field)])
  const form = element(
    'form',
    {},
    element('h2', { id: 'dialog-title' }, title),
    text && element('p', {}, text),
    fields.map((field, index) =>
      element('label', {}, element('span', {}, field.label), inputs[index][1], field.hint && element('small', {}, field.hint)),
    ),
    failed,
    element('div', { class: 'buttons' }, button('Cancel', () => dialog.close()), element('button', { class: isGrave ? 'grave' : null }, does)),
  )
  const dialog = element('dialog', { 'aria-labelledby': 'dialog-title' }, form)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    failed.textContent = ''
    try {
      const said = await act(Object.fromEntries(inputs.map(([name, { value }]) => [name, value])))
      dialog.close()
      if (said) announce(said)
    } catch (error) {
      failed.textContent = error.message
    }
  })
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  })
  dialog.addEventListener('close', () => {
    dialog.remove()
    opener?.focus?.()
  })
  document.body.append(dialog)
  dialog.showModal()
  inputs[0]?.[1].focus()
  return dialog
}

/** Shows something, with nothing to ask. */
export function show(title, ...content) {
  const opener = document.activeElement
  const dialog = element('dialog', { 'aria-labelledby': 'dialog-title' }, element('h2', { id: 'dialog-title' }, title), ...content, element('div', { class: 'buttons' }, button('Close', () => dialog.close())))
  dialog.addEventListener('close', () => {
    dialog.remove()
    opener?.focus?.()
  })
  document.body.append(dialog)
  dialog.showModal()
}

function input({ name, kind = 'text', value = '', options = [] }) {
  if (kind === 'choice') {
    const made = element('select', { name }, options.map(([value, text = value]) => element('option', { value }, text)))
    made.value = value
    return made
  }
  const made = kind === 'lines' ? element('textarea', { name, rows: '6', spellcheck: 'false' }) : element('input', { name, type: kind, spellcheck: 'false', autocomplete: 'off' })
  made.value = value
  return made
}
