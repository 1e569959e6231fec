import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { freePort } from './free-port.js'

const startTime = 20_000

/** The program, by `REDIS_SERVER` or in the `PATH`. */
export function redisServer(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const found = process.env.REDIS_SERVER || folders.map((folder) => join(folder, 'redis-server')).find(existsSync)
  if (found === undefined && process.env.CI === 'true') {
    throw new Error('redis-server is missing: apt-get install redis-server, or set REDIS_SERVER')
  }
  return found
}

/** A Redis for the tests of a file, with a folder of its own that is deleted at the end. Returns its port. */
export function useRedis(program: string): () => number {
  let port: number
  let folder: string
  let server: ChildProcess | undefined
  beforeAll(async () => {
    port = await freePort()
    folder = await mkdtemp(join(tmpdir(), 'switchboard-redis-'))
    const parameters = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', folder]
    server = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
    await ready(server)
  })
  afterAll(async () => {
    if (server !== undefined && server.exitCode === null) {
      server.kill('SIGKILL')
      await once(server, 'exit')
    }
    await rm(folder, { recursive: true, force: true })
  })
  return () => port
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const fail = (why: string) => reject(new Error(`redis-server ${why}:\n${printed}`))
    const timer = setTimeout(() => fail('is not ready'), startTime)
    server.stdout?.on('data', (chunk) => {
      printed += chunk
      if (!printed.includes('Ready to accept connections')) return
      clearTimeout(timer)
      resolve()
    })
    server.on('error', (error) => fail(error.message))
    server.on('exit', (code) => fail(`ended with ${code}`))
  })
}
