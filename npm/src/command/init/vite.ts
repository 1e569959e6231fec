/** A Vite project: the plugin, a handler file, a test. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Changes } from './changes.js'
import { addPackage } from './package-json.js'
import type { Project } from './project.js'
import { addPlugin } from './vite-config.js'

const NAME = 'vite-plugin-switchboard'

/** Adds what is not there. */
export function inVite(project: Project, changes: Changes): void {
  const extension = project.hasTypeScript ? 'ts' : 'js'
  const options = `{ files: 'ws/**/*.${extension}' }`
  const config = configure(project, changes, extension, options)
  if (config === 'present') {
    // Who has the plugin has handlers, or wants none.
    return addPackage(project, changes)
  }
  changes.create(`ws/chat.${extension}`, HANDLER)
  if (project.hasVitest) changes.create(`ws/chat.test.${extension}`, TEST)
  else changes.say('no test was written, as there is no Vitest in package.json: npm install --save-dev vitest, then init again')
  addToNodeTypes(project, changes)
  addPackage(project, changes)
}

function configure({ folder, config }: Project, changes: Changes, extension: string, options: string): 'present' | 'done' {
  if (config === undefined) {
    changes.create(`vite.config.${extension}`, fresh(options))
    return 'done'
  }
  const text = readFileSync(join(folder, config), 'utf8')
  const edited = addPlugin(text, NAME, options)
  if (edited === 'present') return existsSync(join(folder, `ws/chat.${extension}`)) ? 'done' : 'present'
  if (edited === undefined) {
    changes.say(
      `${config} was left as it is, because it is not of a form that can be edited safely. Write into it:\n\n` +
        `  import switchboard from '${NAME}'\n\n  plugins: [switchboard(${options})]\n`,
    )
  } else {
    changes.update(config, edited, 'the plugin')
  }
  return 'done'
}

/** Where create-vite puts the types of what runs in Node, handlers are type-checked too. */
function addToNodeTypes({ folder, hasTypeScript }: Project, changes: Changes): void {
  const file = 'tsconfig.node.json'
  if (!hasTypeScript || !existsSync(join(folder, file))) return
  const text = readFileSync(join(folder, file), 'utf8')
  const found = [...text.matchAll(/^([ \t]*"include"[ \t]*:[ \t]*\[)([^\]\n]*)\]/gm)]
  const [only] = found
  if (found.length !== 1 || /"(?:\.\/)?ws(?:\/|")/.test(only![2]!)) return
  const list = only![2]!.trim() === '' ? '"ws"' : `${only![2]!.trimEnd()}, "ws"`
  changes.update(file, text.replace(only![0], () => `${only![1]}${list}]`), 'handlers are type-checked')
}

function fresh(options: string): string {
  return `import { defineConfig } from 'vite'
import switchboard from '${NAME}'

export default defineConfig({
  plugins: [switchboard(${options})],
})
`
}

const HANDLER = `import { defineHandler } from '${NAME}'

// Try it in the page's console:
//   const socket = new WebSocket(\`ws://\${location.host}/api/ws/chat/general\`)
//   socket.onmessage = ({ data }) => console.log(data)
//   socket.send(JSON.stringify({ text: 'Hello' }))
export default defineHandler({
  pattern: '/ws/chat/{room}',
  heartbeat: 30_000,
  onConnect: (conn, req) => conn.joinRoom(req.params.room),
  onMessage: (conn, data) => conn.broadcast({ from: conn.id, text: data.text }, { rooms: conn.getRooms(), includeSelf: true }),
})
`

const TEST = `import { expect, test } from 'vitest'
import { serve } from '${NAME}/testing'

import chat from './chat'

// Node has a WebSocket client since version 22, and before with NODE_OPTIONS=--experimental-websocket.
test.skipIf(!('WebSocket' in globalThis))('what one says, the room hears', async () => {
  const server = await serve(chat)
  const socket = new WebSocket(server.url('/ws/chat/general'))
  const heard = new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(JSON.parse(data))))
  socket.onopen = () => socket.send(JSON.stringify({ text: 'Hello' }))
  expect(await heard).toMatchObject({ text: 'Hello' })
  await server.close()
})
`
