/** The tests of the plugin's callbacks, run by the interpreter of the native server. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { bundle } from './support/bundle.js'
import { run } from './support/runner.js'

const MISTAKE = 'the program ends with a mistake in a file: native/tests/script/mistakes.rs'
const SERVER = 'it calls the server as a value, which handler files do not have'
const NODE = "it tests what Node's modules do with the plugin's objects"
const VITE = 'it tests Vite'
const STACK = 'it names the places of its own file, which is bundled: native/tests/script/program.rs'

/** The files of ../test, and which of their tests cannot run there, and why. */
const FILES: Record<string, [RegExp, string][]> = {
  arguments: [
    [/^options that are null/, SERVER],
    [/^of a server/, SERVER],
    [/^(createSwitchboard|attach|switchboard)\(/, SERVER],
    [/^(an endpointPrefix that is an object|a logger)/, SERVER],
    [/^authenticate: .* does not let everyone in/, SERVER],
    [/^upgrade without a head/, SERVER],
  ],
  authenticate: [],
  channels: [
    [/^a channel that is none/, MISTAKE],
    [/^what is said on behalf of who has left/, SERVER],
    [/^the plugin's api/, SERVER],
  ],
  close: [
    [/^a server that closes/, SERVER],
  ],
  commands: [[/^an event that there is not/, MISTAKE]],
  connection: [[/^a log shows what it is$/, NODE]],
  errors: [],
  messages: [],
  order: [
    [/^what one read brought/, 'what functions send goes out within a millisecond there, in which a development build does not get through'],
  ],
  recovery: [],
  request: [[/^raw headers are named/, 'the native server has the names of headers in lower case']],
  rooms: [[/^it is shown, cloned and compared/, NODE]],
  stack: [
    [/^Vite/, VITE],
    [/^(without Vite too|what a client wrote makes no call)/, STACK],
  ],
  watches: [],
}

const folder = mkdtempSync(join(tmpdir(), 'switchboard-tests-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

for (const [name, elsewhere] of Object.entries(FILES)) {
  const tests = await bundle(join(import.meta.dirname, `../test/${name}.test.ts`), folder)
  describe(name, () => {
    for (const [number, title] of tests.names.entries()) {
      const cannotRun = elsewhere.some(([titles]) => titles.test(title))
      if (cannotRun) test.skip(title)
      else test.concurrent(title, () => run(tests, number))
    }
    test.each(elsewhere)('%s is still there: %s', (titles) => {
      expect(tests.names).toContainEqual(expect.stringMatching(titles))
    })
  })
}
