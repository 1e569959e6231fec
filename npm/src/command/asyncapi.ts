/** `switchboard asyncapi`: an AsyncAPI document of a configuration. */

import { readDocuments } from '../config/documents.js'
import { createInstance } from '../engine/wasm.js'
import { type Command, read } from './arguments.js'
import { listenOf, readPart } from './configuration.js'
import { readEnvironment } from './environment.js'
import { Exit } from './exit.js'

const ASYNCAPI: Command = {
  name: 'asyncapi',
  options: [
    { name: 'config', short: 'c', value: 'FILE' },
    { name: 'title', value: 'TITLE' },
  ],
  positionals: [],
}

/** Runs it. */
export function run(words: string[]): void {
  const given = read(ASYNCAPI, words)
  const environment = readEnvironment()
  const part = readPart(given.text('config'))
  const wrong = (message: string): Exit => new Exit(2, `error: ${message}\n`)
  let files
  try {
    ;({ files } = listenOf(part, environment))
  } catch (error) {
    throw wrong((error as Error).message)
  }
  const question = { part, environment, files: readDocuments(files) }
  const answer = JSON.parse(createInstance().Switchboard.asyncapi(question, given.text('title') ?? 'Switchboard')) as { document: string } | { error: string }
  if ('error' in answer) throw wrong(answer.error)
  process.stdout.write(`${answer.document}\n`)
}
