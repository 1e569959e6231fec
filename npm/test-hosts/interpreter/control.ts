/** The connection to the runner, which holds the clients of a test and reads the server's log. */

/** What goes over it. Bytes are base64 under the key `bytes`. */
export type Message = Record<string, unknown>

type Listener = (message: any) => void

let send: ((text: string) => void) | undefined
const waiting: string[] = []
const listeners = new Map<number, Listener>()
let last = 0

/** Told to the runner, as soon as it is there. */
export function tell(message: Message): void {
  const text = JSON.stringify(Object.fromEntries(Object.entries(message).map(([key, value]) => [key, packed(value)])))
  if (send) send(text)
  else waiting.push(text)
}

/** A number for something of the runner's; the listener gets all that comes of it. */
export function listen(listener: Listener): number {
  listeners.set(++last, listener)
  return last
}

/** Resolves with the port when the server listens and the runner is there. */
export const ready = new Promise<number>((resolve) => listeners.set(0, ({ port }) => resolve(port)))

/** The log lines that the runner has read so far, since the server of now began. */
export const log: { lines: string[] } = { lines: [] }

/** The handler that the runner connects to. */
export const control = {
  pattern: '/the-runner-of-this-test',
  // A test may have the server delay all other messages.
  delay: 0,
  maxPayload: 64 << 20,
  parse: 'text',
  onConnect: (connection: { send(text: string): void }) => {
    send = (text) => void connection.send(text)
    for (const text of waiting.splice(0)) send(text)
  },
  onMessage: (_: unknown, text: string) => {
    const message = JSON.parse(text, unpacked)
    if (message.lines) log.lines.push(...message.lines)
    else listeners.get(message.of)?.(message)
  },
}

/** As JSON has it. */
function packed(value: any): unknown {
  if (value instanceof ArrayBuffer) return { bytes: Buffer.from(value).toString('base64') }
  if (ArrayBuffer.isView(value)) return { bytes: Buffer.from(value as Uint8Array).toString('base64') }
  return Array.isArray(value) ? value.map(packed) : value
}

function unpacked(_: string, value: any): unknown {
  return typeof value?.bytes === 'string' ? Buffer.from(value.bytes, 'base64') : value
}
