import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll } from 'vitest'

/** Where `cargo build` leaves it; `cargo xtask test` says where it is by `SWITCHBOARD_NATIVE`. */
const usualPlace = fileURLToPath(new URL('../../../target/debug/switchboard', import.meta.url))

/** The program. */
export const program = process.env.SWITCHBOARD_NATIVE || usualPlace

const startTime = 20_000

/** Lets the program do something else than serve. */
export async function runNative(...parameters: string[]): Promise<void> {
  await promisify(execFile)(program, parameters, { timeout: startTime })
}

/** The token of the control API of the servers here, where it is on. */
export const CONTROL_TOKEN = 'the token of the tests'

/** A native server that runs. */
export interface Native {
  /** `host:port` */
  address: string
  /** All that it has printed so far. */
  printed(): string
  stop(): Promise<void>
  /** Ends it without a goodbye. */
  kill(): Promise<void>
}

/** Starts the native server, on a port of the system's choice unless the parameters have one. */
export async function startNative(...parameters: string[]): Promise<Native> {
  const port = parameters.includes('--port') ? [] : ['--port', '0']
  const server = spawn(program, [...parameters, ...port], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', SWITCHBOARD_CONTROL_TOKEN: CONTROL_TOKEN },
  })
  let printed = ''
  server.stdout.on('data', (chunk) => (printed += chunk))
  const address = await printedAddress(server)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    server.kill(signal)
    await once(server, 'exit')
  }
  return { address, printed: () => printed, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}

/** The native server for the tests of a file. Returns its `host:port`. */
export function useNative(...parameters: string[]): () => string {
  let native: Native | undefined
  beforeAll(async () => {
    native = await startNative(...parameters)
  })
  afterAll(() => native?.stop())
  return () => native!.address
}

function printedAddress(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const fail = (why: string) => reject(new Error(`the native server ${why}:\n${printed}`))
    const timer = setTimeout(() => fail('does not listen'), startTime)
    const read = (chunk: Buffer) => {
      printed += chunk.toString()
      // Not one that it connects to.
      const address = /(?<=(?:http|ws)s?:\/\/)127\.0\.0\.1:\d+/.exec(printed)
      if (address) {
        clearTimeout(timer)
        resolve(address[0])
      }
    }
    server.stdout?.on('data', read)
    server.stderr?.on('data', read)
    server.on('error', (error) => fail(`cannot be started (${error.message}); cargo build -p switchboard makes it`))
    server.on('exit', (code) => fail(`ended with ${code}`))
  })
}
