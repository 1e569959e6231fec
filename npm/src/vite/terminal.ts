/** How lines look in Vite's terminal. */

/** An error as Vite shows its own, where the terminal has colours: its first line red, the stack below it dim. */
export function colored(text: string): string {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR || !(FORCE_COLOR || (process.stdout.isTTY && TERM !== 'dumb'))) return text
  const end = text.indexOf('\n')
  if (end === -1) return red(text)
  return `${red(text.slice(0, end))}\n${dim(text.slice(end + 1))}`
}

const red = (text: string): string => `\x1b[31m${text}\x1b[39m`
const dim = (text: string): string => `\x1b[2m${text}\x1b[22m`
