/** A project without Vite: a configuration, and a script that serves it. */

import type { Changes } from './changes.js'
import { addPackage } from './package-json.js'
import type { Project } from './project.js'

const FILE = 'switchboard.toml'
const SCRIPT = 'sockets'

const CONFIGURATION = `#:schema ./node_modules/vite-plugin-switchboard/schema.json
# A chat in rooms: what one says, all others in the same room hear. Try it:
#   npx wscat -c ws://127.0.0.1:4004/ws/chat/general

[listen]
port = 4004

[[routes]]
pattern = "/ws/chat/{room}"
heartbeat = 30000

[[routes.rules]]
on = "connect"
do = [{ join = "{connection.params.room}" }]

[[routes.rules]]
do = [{ broadcast = { from = "{connection.id}", text = "{message.text}" }, rooms = ["{connection.params.room}"] }]
`

/** Adds what is not there. */
export function inPlain(project: Project, changes: Changes): void {
  changes.script = SCRIPT
  changes.create(FILE, CONFIGURATION)
  addPackage(project, changes, { [SCRIPT]: `switchboard serve --config ${FILE} --watch` })
}
