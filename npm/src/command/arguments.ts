/** Reads command lines as the native program does: with the same words for what is wrong. */

import { Exit } from './exit.js'
import { longHelp, shortHelp, USAGES } from './help.js'
import { similar } from './similar.js'

/** One option of a command. */
export interface Option {
  /** Without the dashes. */
  name: string
  short?: string
  /** What stands for its value in messages; without one it is a flag. */
  value?: string
  /** Its values are ports. */
  isPort?: boolean
  /** It may be given more than once. */
  isList?: boolean
  isRequired?: boolean
  /** Another option that has to be there. */
  requires?: string
  /** Another option that must not be there. */
  conflicts?: string
  /** Another flag, of which the last one counts. */
  overrides?: string
}

/** A command's own words. */
export interface Command {
  name: string
  options: Option[]
  /** What stands for its arguments in messages. */
  positionals: string[]
  /** Whether the last of them may be there any number of times, also none. */
  isVariadic?: boolean
}

/** What was given. */
export interface Given {
  text(name: string): string | undefined
  texts(name: string): string[]
  flag(name: string): boolean
  port(name: string): number | undefined
  positionals: string[]
}

const HELP = "For more information, try '--help'."

/** Ends the program with a message as the native program does. */
export function usageError(message: string, usage?: string, tip?: string): Exit {
  const lines = [`error: ${message}`, tip && `  tip: ${tip}`, usage && `Usage: ${usage}`, HELP]
  return new Exit(2, `${lines.filter(Boolean).join('\n\n')}\n`)
}

/** Reads the words behind a command's name. Throws an {@link Exit} with the help that they ask for, or with what is wrong. */
export function read(command: Command, words: string[]): Given {
  const found = new Map<string, string[]>()
  const positionals: string[] = []
  const left = [...words]
  let onlyPositionals = false
  while (left.length > 0) {
    const word = left.shift()!
    if (onlyPositionals || word === '-' || !word.startsWith('-')) {
      positional(command, positionals, word)
    } else if (word === '--') {
      onlyPositionals = true
    } else if (word.startsWith('--')) {
      const [name, attached] = split(word.slice(2))
      take(command, found, left, name, word, attached)
    } else {
      shorts(command, found, left, word.slice(1))
    }
  }
  complete(command, found, positionals)
  return {
    text: (name) => found.get(name)?.at(-1),
    texts: (name) => found.get(name) ?? [],
    flag: (name) => found.has(name),
    port: (name) => (found.has(name) ? Number(found.get(name)!.at(-1)) : undefined),
    positionals,
  }
}

function split(word: string): [string, string | undefined] {
  const at = word.indexOf('=')
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}

function shorts(command: Command, found: Map<string, string[]>, left: string[], letters: string): void {
  const [letter] = letters as unknown as [string]
  if (letter === 'h') throw new Exit(0, shortHelp(command.name), 'stdout')
  const option = command.options.find(({ short }) => short === letter)
  if (option === undefined) throw unexpected(command, `-${letter}`)
  const rest = letters.slice(1)
  if (option.value === undefined) {
    take(command, found, left, option.name, `-${letter}`, undefined)
    if (rest !== '') shorts(command, found, left, rest)
  } else {
    take(command, found, left, option.name, `-${letter}`, rest === '' ? undefined : rest.replace(/^=/, ''))
  }
}

function take(command: Command, found: Map<string, string[]>, left: string[], name: string, word: string, attached: string | undefined): void {
  if (name === 'help') throw new Exit(0, longHelp(command.name), 'stdout')
  const option = command.options.find((option) => option.name === name)
  if (option === undefined) throw unexpected(command, split(word)[0])
  if (found.has(name) && !option.isList) {
    throw usageError(`the argument '${shown(option)}' cannot be used multiple times`, USAGES[command.name])
  }
  if (option.value === undefined) {
    if (attached !== undefined) {
      throw usageError(`unexpected value '${attached}' for '--${name}' found; no more were expected`, usageOf(command, [option]))
    }
    if (option.overrides) found.delete(option.overrides)
    found.set(name, [])
    return
  }
  const value = attached ?? (left[0] !== undefined && !(left[0].startsWith('-') && left[0] !== '-') ? left.shift() : undefined)
  if (value === undefined) throw usageError(`a value is required for '${shown(option)}' but none was supplied`)
  if (option.isPort) checkPort(option, value)
  found.set(name, [...(found.get(name) ?? []), value])
}

function positional(command: Command, positionals: string[], word: string): void {
  if (positionals.length >= command.positionals.length && !command.isVariadic) throw unexpected(command, word)
  positionals.push(word)
}

function complete(command: Command, found: Map<string, string[]>, positionals: string[]): void {
  for (const option of command.options) {
    const { name, conflicts } = option
    if (conflicts !== undefined && found.has(name) && found.has(conflicts)) {
      const other = command.options.find((option) => option.name === conflicts)!
      const [first, second] = [...found.keys()].indexOf(name) < [...found.keys()].indexOf(conflicts) ? [option, other] : [other, option]
      throw usageError(`the argument '${shown(first)}' cannot be used with '${shown(second)}'`, usageOf(command, [first]))
    }
  }
  const missing = command.options.filter(
    ({ name, isRequired }) =>
      !found.has(name) && (isRequired || command.options.some((other) => other.requires === name && found.has(other.name))),
  )
  const lacking = command.isVariadic ? [] : command.positionals.slice(positionals.length)
  if (missing.length === 0 && lacking.length === 0) return
  const lines = [...missing.map(shown), ...lacking.map((name) => `<${name}>`)].map((line) => `\n  ${line}`)
  const involved = command.options.filter((option) => missing.includes(option) || found.has(option.name))
  throw usageError(`the following required arguments were not provided:${lines.join('')}`, usageOf(command, involved))
}

/** A usage that names these options, and those that have to be there. */
function usageOf(command: Command, options: Option[]): string {
  const named = command.options.filter((option) => option.isRequired || options.includes(option))
  const arguments_ = command.isVariadic ? command.positionals.map((name) => `[${name}]...`) : command.positionals.map((name) => `<${name}>`)
  const program = command.name === '' ? 'switchboard' : `switchboard ${command.name}`
  return [program, ...named.map(shown), ...arguments_].join(' ')
}

function shown({ name, value }: Option): string {
  return value === undefined ? `--${name}` : `--${name} <${value}>`
}

function unexpected(command: Command, word: string): Exit {
  const message = `unexpected argument '${word}' found`
  const known = word.startsWith('--') ? similar(word.slice(2), [...command.options.map(({ name }) => name), 'help'])[0] : undefined
  if (known === undefined) {
    const mayBeValue = word.startsWith('-') && command.positionals.length > 0
    return usageError(message, USAGES[command.name], mayBeValue ? `to pass '${word}' as a value, use '-- ${word}'` : undefined)
  }
  const option = command.options.filter(({ name }) => name === known)
  const usage = known === 'help' ? USAGES[command.name] : usageOf(command, option)
  return usageError(message, usage, `a similar argument exists: '--${known}'`)
}

function checkPort(option: Option, value: string): void {
  const wrong = (why: string): Exit => usageError(`invalid value '${value}' for '${shown(option)}': ${why}`)
  if (value === '') throw wrong('cannot parse integer from empty string')
  if (!/^[+-]?\d+$/.test(value)) throw wrong('invalid digit found in string')
  if (Number(value) < 0 || Number(value) > 65535) throw wrong(`${Number(value)} is not in 0..=65535`)
}
