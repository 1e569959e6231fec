// wscat with the join that the killmail server's documentation says to paste: node wscat.mjs PORT
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { eventually } from './patience.mjs'

const port = process.argv[2]
const wscat = createRequire(import.meta.url).resolve('wscat/bin/wscat')
const join = '{ "topic": "killmails:lobby", "event": "phx_join", "payload": {}, "ref": 1 }'
const url = `ws://localhost:${port}/socket/websocket?vsn=2.0.0`
// Its input stays open, as a terminal's does: at the end of it wscat leaves.
const terminal = spawn(process.execPath, [wscat, '--no-color', '-c', url, '-x', join, '-w', '10'])
const printed = await eventually('reply', (done) => {
  let text = ''
  terminal.stdout.on('data', (chunk) => {
    text += chunk
    if (/\{.*\}\s/.test(text)) done(text)
  })
})
const reply = JSON.parse(printed.slice(printed.indexOf('{'), printed.lastIndexOf('}') + 1))
assert.equal(reply.ref, 1)
assert.equal(reply.event, 'phx_reply')
assert.equal(reply.payload.status, 'ok')
assert.equal(reply.payload.response.status, 'connected')
terminal.stdin.end()
await once(terminal, 'exit')
console.log('wscat: passed')
