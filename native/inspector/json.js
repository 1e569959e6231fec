// JSON that somebody writes by hand: where the mistake is.

/** The value of a text. Throws an error that names line and column; `at` is the offset, where it is known. */
export function parseJson(text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw explained(text, error)
  }
}

function explained(text, { message }) {
  const at = placeOf(text, message)
  const what = message.replace(/ \(line \d+ column \d+\)/, '').replace(/ (in JSON )?at (position \d+|line \d+ column \d+ of the JSON data)/, '').replace(/^JSON\.parse: /, '')
  if (at === undefined) return new Error(`This is no JSON: ${what}`)
  const before = text.slice(0, at).split('\n')
  return Object.assign(new Error(`Line ${before.length}, column ${before.at(-1).length + 1}: ${what}`), { at })
}

/** Browsers tell an offset, or line and column, or that the text ends too soon. */
function placeOf(text, message) {
  const [, position] = /position (\d+)/.exec(message) ?? []
  if (position !== undefined) return Number(position)
  const [, line, column] = /line (\d+) column (\d+)/.exec(message) ?? []
  if (line !== undefined) return text.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0) + Number(column) - 1
  return /end/i.test(message) ? text.length : undefined
}
