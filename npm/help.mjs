// Writes src/command/help.ts, the help of the program on Node, from what the native program says: node help.mjs FILE

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [program] = process.argv.slice(2)
if (program === undefined) {
  console.error('node help.mjs FILE: name the native program, such as ../target/debug/switchboard')
  process.exit(2)
}
const commands = ['', 'serve', 'record', 'replay', 'convert', 'asyncapi']
const say = (...words) => execFileSync(program, words.filter(Boolean), { encoding: 'utf8' })
const literal = (text) => `\`${text.replaceAll(/[`\\]|\$\{/g, '\\$&')}\``
const texts = (flag) => commands.map((name) => `  ${JSON.stringify(name)}: ${literal(say(name, flag))},`).join('\n')
const usage = (name) => /^Usage: (.*(?:\n {7}.*)*)/m.exec(say(name, '-h'))[1]
writeFileSync(
  join(import.meta.dirname, 'src/command/help.ts'),
  `// Written by help.mjs from what the native program says.

const SHORT: Record<string, string> = {
${texts('-h')}
}

const LONG: Record<string, string> = {
${texts('--help')}
}

/** How each command is used, and the program without one. */
export const USAGES: Record<string, string> = {
${commands.map((name) => `  ${JSON.stringify(name)}: ${literal(usage(name))},`).join('\n')}
}

/** What \`-h\` prints. */
export function shortHelp(command: string): string {
  return SHORT[command]!
}

/** What \`--help\` prints. */
export function longHelp(command: string): string {
  return LONG[command]!
}
`,
)
