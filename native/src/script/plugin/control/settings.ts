/** Who may use the control API of a server, as the engine takes it. */

import { randomBytes } from 'node:crypto'

import type { ControlAccess, ControlOptions } from '../interface/control.js'
import { flag, shapeOf } from '../values/arguments.js'
import { PATH, VARIABLE } from './access.js'

/** A token of less is soon guessed. */
const SHORTEST = 8

/** What the engine is told of the option `control`. */
export interface ControlSettings {
  token: string
  loopbackOnly: boolean
  reveal: boolean
}

const KEYS = ['token', 'loopbackOnly', 'reveal']

/** Reads the option `control`; `undefined`: the API is off. Throws what is wrong with it. */
export function controlOf(given: unknown, environment: Record<string, string>): ControlSettings | undefined {
  if (given === undefined || given === null || given === false) return undefined
  if (given !== true && (typeof given !== 'object' || Array.isArray(given))) {
    throw new TypeError(`[switchboard] control: expected true, false or { token: '…' }, got ${shapeOf(given)}`)
  }
  const { token, loopbackOnly, reveal, ...others }: ControlOptions = given === true ? {} : given
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new Error(`[switchboard] control.${unknown}: unknown key; known here are ${KEYS.join(', ')}`)
  if (token !== undefined && token !== null && (typeof token !== 'string' || token.length < SHORTEST)) {
    throw new TypeError(`[switchboard] control.token: expected a text of ${SHORTEST} characters or more; leave it out for a random one`)
  }
  return {
    token: token || environment[VARIABLE] || randomToken(),
    loopbackOnly: loopbackOnly === undefined || loopbackOnly === null ? true : flag(loopbackOnly, '[switchboard] control.loopbackOnly'),
    reveal: flag(reveal, '[switchboard] control.reveal'),
  }
}

/** What users are told of it. */
export function accessOf(settings: ControlSettings | undefined): ControlAccess | undefined {
  return settings && { path: PATH, token: settings.token }
}

const KEPT = Symbol.for('vite-plugin-switchboard: control token')

/** One for the whole process: a restart of Vite, which may load this module again, keeps it. */
function randomToken(): string {
  const process = globalThis as { [KEPT]?: string }
  return (process[KEPT] ??= randomBytes(16).toString('hex'))
}
