// Runs an example as it is documented, with another address, and collects what it logs.
import { setTimeout } from 'node:timers/promises'
import { WebSocket as NodeWebSocket } from 'ws'

const PATIENCE = 30_000

// A scene that waits for what never comes fails instead of ending early.
const scene = globalThis.setTimeout(() => {
  throw new Error('the scene takes too long')
}, 2 * PATIENCE)

/** Says that the scene is over. */
export function finish() {
  clearTimeout(scene)
}

/** The clients that Node has. */
export const CLIENTS = [
  ['ws', NodeWebSocket],
  ["Node's WebSocket", globalThis.WebSocket],
].filter(([, WebSocket]) => WebSocket !== undefined)

/** Runs the code with this WebSocket; gives the names that it declares, and waits for lines that it logs. */
export function run(code, names, WebSocket) {
  const lines = []
  let wake = () => {}
  const log = (...line) => {
    lines.push(line)
    wake()
  }
  const console = { log, error: (...line) => log('error', ...line) }
  const declared = new Function('WebSocket', 'console', `${code}\nreturn { ${names.join(', ')} }`)(WebSocket, console)
  /** The next line that begins like this; others before it are passed over. */
  async function logged(first) {
    const patience = setTimeout(PATIENCE, 'late', { ref: false })
    for (;;) {
      while (lines.length > 0) {
        const line = lines.shift()
        if (line[0] === first) return line[1]
      }
      const woken = new Promise((resolve) => (wake = resolve))
      if ((await Promise.race([woken, patience])) === 'late') throw new Error(`${first} was not logged`)
    }
  }
  return { ...declared, logged }
}
