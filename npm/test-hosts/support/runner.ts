/** Runs a test in the interpreter of a native server: holds its clients, and reads the server's log. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { WebSocket } from 'ws'

import type { Bundle } from './bundle.js'

const usualPlace = fileURLToPath(new URL('../../../target/debug/switchboard', import.meta.url))
const program = process.env.SWITCHBOARD_NATIVE || usualPlace

/** The time in ms within which a server listens. */
const START = 30_000

/** What comes from a client, and goes to the test. */
const EVENTS = ['open', 'message', 'ping', 'pong', 'error', 'upgrade', 'unexpected-response', 'close']

/** Runs the test with a number; throws what is wrong. */
export async function run(bundle: Bundle, number: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-test-'))
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const served = await bundle.served(number)
    const prefix = served?.routes.length ? '' : '/api'
    bundle.write(folder, number, prefix)
    writeFileSync(join(folder, 'config.json'), JSON.stringify(configuration(served?.config ?? {})))
    const server = await start(folder, prefix, ends)
    let count = 1
    const replace = async (config: Record<string, unknown>): Promise<void> => {
      writeFileSync(join(folder, 'config.json'), JSON.stringify(configuration(config)))
      bundle.writeNext(folder, ++count, prefix)
      await server.reload()
    }
    await conversation(server, `${server.url}/api/the-runner-of-this-test`, replace, ends)
    const rejected = server.lines.filter((line) => line.includes('a promise that nobody awaits'))
    if (rejected.length > 0) throw new Error(rejected.join('\n'))
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** What of the plugin's options stands in a configuration file. */
function configuration({ limits, delay, feeds, origins }: Record<string, unknown>): object {
  const given = Object.entries({ limits, delay, feeds, origins }).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(given)
}

interface Server {
  url: string
  port: number
  lines: string[]
  /** Has it read its files again. */
  reload(): Promise<void>
}

async function start(folder: string, prefix: string, ends: (() => unknown)[]): Promise<Server> {
  const given = ['serve', 'ws/run.js', '--config', 'config.json', '--port', '0', '--prefix', prefix || '/', '--no-watch']
  const child = spawn(program, given, { cwd: folder, env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = once(child, 'exit')
  ends.push(async () => {
    child.kill('SIGKILL')
    await exit
  })
  const lines: string[] = []
  const log = createInterface({ input: child.stderr })
  let reloaded: ((line: string) => void) | undefined
  log.on('line', (line) => {
    if (reloaded && / reloaded | serves on$/.test(line)) return reloaded(line)
    const start = /^\S+ +(TRACE|DEBUG|INFO|WARN|ERROR) (.*)$/.exec(line)
    if (start) lines.push(`${start[1]!.toLowerCase()} [switchboard] ${start[2]}`)
    else lines.push(line.startsWith('    ') && lines.length > 0 ? `${lines.pop()}\n${line}` : line)
  })
  let printed = ''
  const listens = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server does not listen:\n${printed}${lines.join('\n')}`)), START)
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      const address = /127\.0\.0\.1:\d+/.exec(printed)
      if (!address) return
      clearTimeout(timer)
      resolve(address[0])
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      reject(new Error(`the server ended with ${code}:\n${printed}${lines.join('\n')}`))
    })
  })
  const address = await listens
  const reload = (): Promise<void> =>
    new Promise((resolve, reject) => {
      reloaded = (line) => {
        reloaded = undefined
        if (line.endsWith('serves on')) reject(new Error(line))
        else resolve()
      }
      child.kill('SIGHUP')
    })
  return { url: `ws://${address}`, port: Number(address.split(':')[1]), lines, reload }
}

/** Does what the test says, until it is done. */
function conversation(
  server: Server,
  url: string,
  replace: (config: Record<string, unknown>) => Promise<void>,
  ends: (() => unknown)[],
): Promise<void> {
  const runner = new WebSocket(url, { maxPayload: 256 << 20 })
  const things = new Map<number, any>()
  ends.push(() => {
    runner.terminate()
    for (const thing of things.values()) (thing.terminate ?? thing.destroy).call(thing)
  })
  let told = 0
  const send = (message: object): void => runner.send(JSON.stringify(message))
  const heard = (of: number, event: string, given: unknown[]): void => {
    // What the server has logged before is in the pipe by now; it is read in this turn or the next one.
    setImmediate(() => setImmediate(() => {
      const lines = server.lines.slice(told)
      told = server.lines.length
      if (lines.length > 0) send({ lines })
      send({ of, event, given: packed(given) })
    }))
  }
  return new Promise((resolve, reject) => {
    runner.on('error', reject)
    runner.on('close', (code) => reject(new Error(`the connection of the runner was closed: ${code}\n${server.lines.join('\n')}`)))
    runner.on('open', () => {
      // That it listens, and where, the plugin does not say.
      server.lines.splice(0, server.lines.length, ...server.lines.filter((line) => !line.startsWith('info ')))
      send({ of: 0, port: server.port })
    })
    runner.on('message', (data) => {
      const message = JSON.parse(data.toString(), unpacked)
      if (message.done) return resolve()
      if (message.type === 'error') return reject(new Error(`${message.message}\n--- log\n${server.lines.join('\n')}`))
      if (message.failed !== undefined) return reject(new Error(`${message.failed}\n${message.stack}\n--- log\n${server.lines.join('\n')}`))
      if (message.replace !== undefined) {
        const done = (): void => send({ of: message.replace })
        return void replace(message.config).then(done, reject)
      }
      if (message.open !== undefined) return void things.set(message.open, opened(message, heard))
      call(things.get(message.call), message.method, message.given, (event, given) => heard(message.call, event, given))
    })
    const timer = setInterval(() => {
      // What is logged without a client's doing.
      if (runner.readyState !== WebSocket.OPEN || server.lines.length === told) return
      send({ lines: server.lines.slice(told) })
      told = server.lines.length
    }, 50)
    ends.push(() => clearInterval(timer))
  })
}

/** A client, or a TCP socket. */
function opened(
  { open, url, protocols, options, port }: any,
  heard: (of: number, event: string, given: unknown[]) => void,
): WebSocket | ReturnType<typeof connect> {
  if (port !== undefined) {
    const socket = connect(port, '127.0.0.1')
    for (const event of ['data', 'close', 'error']) socket.on(event, (given) => heard(open, event, [event === 'error' ? String(given) : given]))
    return socket
  }
  const socket = new WebSocket(url, protocols ?? [], options ?? {})
  for (const event of EVENTS) {
    socket.on(event, (...given: any[]) => {
      if (event === 'unexpected-response') {
        const [, response] = given
        heard(open, event, [{ statusCode: response.statusCode, headers: response.headers }])
        return response.destroy()
      }
      if (event === 'error') return heard(open, event, [String(given[0])])
      if (event === 'upgrade') return heard(open, event, [{ headers: given[0].headers }])
      heard(open, event, given)
    })
  }
  return socket
}

function call(thing: any, method: string, given: any[], heard: (event: string, given: unknown[]) => void): void {
  const arguments_ = given.map((value) => value ?? undefined)
  switch (method) {
    case 'watchTransport':
      return thing._socket.on(given[0], (data: unknown) => heard('transport', [given[0], data]))
    case 'writeTransport':
      return thing._socket.write(given[0])
    case 'cork':
    case 'uncork':
      return thing._socket[method]()
    case 'send':
      if (thing.readyState !== WebSocket.OPEN) return
  }
  thing[method](...arguments_)
}

/** As JSON has it. */
function packed(value: unknown): unknown {
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : Array.isArray(value) ? value.map(packed) : value
}

function unpacked(_: string, value: any): unknown {
  return typeof value?.bytes === 'string' ? Buffer.from(value.bytes, 'base64') : value
}
