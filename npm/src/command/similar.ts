/** Words that were probably meant: as the native program finds them, by Jaro's similarity. */

/** What is less alike is another word. */
const LEAST = 0.7

/** Those of the known words that are like this one, the most similar one first. */
export function similar(word: string, known: string[]): string[] {
  const rated = known.map((one) => ({ one, rate: jaro(word, one) })).filter(({ rate }) => rate > LEAST)
  return rated.sort((a, b) => b.rate - a.rate).map(({ one }) => one)
}

/** 1: the same, 0: nothing in common. */
function jaro(a: string, b: string): number {
  if (a === b) return 1
  const range = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1)
  const taken = new Set<number>()
  const matches: string[] = []
  for (const [index, letter] of [...a].entries()) {
    for (let at = Math.max(0, index - range); at <= Math.min(b.length - 1, index + range); at++) {
      if (taken.has(at) || b[at] !== letter) continue
      taken.add(at)
      matches.push(letter)
      break
    }
  }
  if (matches.length === 0) return 0
  const others = [...taken].sort((x, y) => x - y).map((at) => b[at])
  const moved = Math.floor(matches.filter((letter, index) => letter !== others[index]).length / 2)
  const count = matches.length
  return (count / a.length + count / b.length + (count - moved) / count) / 3
}
