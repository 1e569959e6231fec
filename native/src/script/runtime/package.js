// The package vite-plugin-switchboard, as handler files import it.

export { defineHandler } from 'switchboard:plugin/define.ts'
export { InvalidMessageError } from 'switchboard:plugin/values/validation.ts'

const missing = (name, instead) => () => {
  throw new Error(`${name} is not there on the native server; ${instead}`)
}

const SERVED = 'it is a server already: write a handler file for each route'
export const attach = missing('attach', SERVED)
export const createSwitchboard = missing('createSwitchboard', SERVED)
export const loadHandlers = missing('loadHandlers', 'name the files on the command line: switchboard serve ws')
export const switchboard = missing('the Vite plugin', 'handler files need none here')
export const universalApi = switchboard
export const universalApiPlugin = switchboard
export const upgrade = missing('upgrade', SERVED)
export default switchboard
