#!/usr/bin/env node
/** The programs `switchboard` and `vite-plugin-switchboard`: the native one where there is one for this machine. */

import { nativeProgram, runNative, servesOnNode } from './command/native.js'
import { endWithNpx } from './command/npx.js'

/** They change a project of Node's, or need a package of it. */
const ON_NODE = ['init', 'mcp']

const words = process.argv.slice(2)
const isOnNode = ON_NODE.includes(words[0] ?? '') || servesOnNode(words)
endWithNpx()
const native = isOnNode ? undefined : nativeProgram()
if (native === undefined) {
  const { program } = await import('./command/program.js')
  await program(words)
} else {
  await runNative(native, words)
}
