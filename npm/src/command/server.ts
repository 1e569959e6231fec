/** A server of the command: what it serves, how it takes another configuration, and how it ends. */

import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import { start, type Started } from '../attach.js'
import type { Own, Part } from '../config/setup.js'
import type { Written } from '../files/exports.js'
import type { SwitchboardOptions } from '../interface/options.js'
import { errorText } from '../values/error.js'
import { ConfigurationError, type Listen, listenOf } from './configuration.js'
import { environmentFiles, readEnvironment } from './environment.js'
import { Exit, failure } from './exit.js'
import type { HandlerFiles } from './handler-files.js'
import { type CommandLogger, createLogger, levelOf } from './log.js'
import { answer } from './page.js'
import { ending } from './signals.js'
import { systemError } from './system-error.js'
import { watchFiles } from './watch.js'

/** What to serve, and how. */
export interface Plan {
  /** Its name for messages. */
  name: string
  /** Reads the configuration. Throws what is wrong with it. */
  read(): Part
  /** The configuration's file, if it has one. */
  file?: string
  /** Instead of the configured ones. */
  host?: string
  port?: number
  /** The port of the configuration where nothing else was said and the environment adds routes. */
  environmentPort?: number
  control?: boolean
  reveal?: boolean
  watches?: boolean
  handlers?: HandlerFiles
  /** The prefix of the patterns of handlers. */
  prefix?: string
}

/** Everything that comes before listening. Gives how many endpoints there are. */
export async function check(plan: Plan): Promise<number> {
  const given = await prepare(plan)
  if (given.listen.tls) certificate(plan.name, given.listen.tls)
  const started = begin(plan, given, quiet(), {})
  const count = started.running!.host.ask((core) => core.endpoint_count(), 0)
  await started.switchboard.close({ grace: 0 })
  return count
}

/** Serves until a signal ends it. */
export async function serve(plan: Plan): Promise<void> {
  const logger = createLogger()
  const { level, mistake } = levelOf(process.env)
  if (mistake !== undefined) logger.warn(`RUST_LOG is ignored: ${mistake}; write a level such as debug, or switchboard=debug`)
  const given = await prepare(plan)
  const { listen } = given
  const credentials = listen.tls && certificate(plan.name, listen.tls)
  let started: Started | undefined
  const respond = (request: IncomingMessage, response: ServerResponse): void => answer(started!.running!, request, response)
  const times = { headersTimeout: listen.handshakeTimeout, requestTimeout: listen.handshakeTimeout, connectionsCheckingInterval: 1000 }
  const server = credentials ? createTlsServer({ ...times, ...credentials }, respond) : createServer(times, respond)
  await listening(server, listen)
  started = begin(plan, given, logger, { logLevel: level })
  started.attach(server, true)
  const reload = createReload(plan, given, started, logger)
  process.on('SIGHUP', reload.now)
  const address = shown(server.address() as AddressInfo)
  const { host } = started.running!
  const text = host.ask((core) => core.listing(address, credentials !== null, started.switchboard.control?.token), '')
  const end = ending(logger)
  process.stdout.write(text)
  await end
  reload.stop()
  process.off('SIGHUP', reload.now)
  server.close()
  server.closeIdleConnections()
  await started.switchboard.close({ code: 1001, reason: 'Server shutting down' })
  server.closeAllConnections()
  if (levels(level, 'info')) logger.info('stopped')
}

/** What was read: for an engine, and for the server around. */
interface Prepared {
  environment: Record<string, string>
  own: Own
  listen: Listen
  written: Written[]
}

async function prepare(plan: Plan): Promise<Prepared> {
  const environment = readEnvironment()
  const part = plan.read()
  const listen = readListen(part, environment)
  if (listen.lacksHandler !== null) {
    throw new Exit(
      2,
      `error: ${plan.name}: the route ${listen.lacksHandler} has the dialect "handlers" and no handler: give it rules, another ` +
        'dialect, or a handler in Rust\n',
    )
  }
  if (listen.addsEnvironment && plan.environmentPort !== undefined && environment.PORT === undefined) listen.port = plan.environmentPort
  listen.host = plan.host ?? listen.host
  listen.port = plan.port ?? listen.port
  return { environment, own: { part }, listen, written: (await plan.handlers?.load()) ?? [] }
}

function readListen(part: Part, environment: Record<string, string>): Listen {
  try {
    return listenOf(part, environment)
  } catch (error) {
    if (error instanceof ConfigurationError) throw new Exit(2, `error: ${error.message}\n`)
    throw error
  }
}

/** Starts the engine. The result's `own` and `environment` may be replaced for the next configuration. */
function begin(plan: Plan, given: Prepared, logger: CommandLogger, options: SwitchboardOptions): Started {
  const { written } = given
  const all = Object.assign(options, {
    enableWs: true,
    endpointPrefix: plan.prefix,
    logger,
    get environment() {
      return given.environment
    },
    control: plan.control ? { loopbackOnly: false, reveal: plan.reveal ?? false } : false,
  })
  Object.defineProperty(all, 'environment', { get: () => given.environment, enumerable: true })
  const servedHosts = plan.host === undefined ? undefined : [plan.host]
  try {
    return start(all, process.cwd(), { written, servedHosts, own: () => given.own })
  } catch (error) {
    throw new Exit(2, `error: ${named(plan, error)}\n`)
  }
}

/** What is wrong, with the name of where it stands. */
function named(plan: Plan, error: unknown): string {
  const text = errorText(error).replace(/^\[switchboard\] /, '')
  return text.startsWith(`${plan.name}: `) || plan.handlers ? text : `${plan.name}: ${text}`
}

/** Takes the configuration and the handlers anew: on SIGHUP, and when a file changes. */
function createReload(plan: Plan, given: Prepared, started: Started, logger: CommandLogger): { now(): void; stop(): void } {
  let isBusy = false
  let isWanted = false
  const take = async (): Promise<void> => {
    try {
      const next = await prepare(plan)
      const before = { ...given }
      Object.assign(given, next)
      try {
        const done = started.reconfigure(next.written)
        logger.info(`reloaded ${plan.name}: ${done?.summary ?? 'the engine is being started again'}`)
      } catch (error) {
        Object.assign(given, before)
        throw new Exit(2, `error: ${named(plan, error)}\n`)
      }
      const left = boundAtStart(before.listen, next.listen)
      if (left.length > 0) logger.warn(`${left.join(', ')} takes effect when the server is started again`)
    } catch (error) {
      const text = errorText(error).replace(/^error: /, '').trimEnd()
      logger.error(`${text}; the configuration before serves on`)
    }
  }
  const now = async (): Promise<void> => {
    isWanted = true
    if (isBusy) return
    isBusy = true
    while (isWanted) {
      isWanted = false
      watched?.refresh()
      await take()
    }
    isBusy = false
  }
  const files = [plan.file ?? [], environmentFiles(), given.listen.files, plan.handlers?.watched() ?? []].flat()
  const watched = plan.watches ? watchFiles(files, () => void now()) : undefined
  return { now: () => void now(), stop: () => watched?.stop() }
}

/** The keys with another value than before that a running server does not take over. */
function boundAtStart(before: Listen, now: Listen): string[] {
  return (['host', 'port', 'tls'] as const)
    .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(now[key]))
    .map((key) => `listen.${key}`)
}

function certificate(name: string, { cert, key }: { cert: string; key: string }): { cert: string; key: string } {
  const wrong = (message: string): Exit => new Exit(2, `error: ${name}: listen.tls: ${message}\n`)
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      throw wrong(`${file} cannot be read: ${systemError(error)}`)
    }
  }
  const pem = { cert: read(cert), key: read(key) }
  if (!pem.cert.includes('-----BEGIN CERTIFICATE-----')) {
    throw wrong(`${cert} has no certificate: it has to be PEM, with -----BEGIN CERTIFICATE-----`)
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem.key)) throw wrong(`${key} has no private key: it has to be PEM, without a password`)
  return pem
}

function listening(server: Server, { host, port }: Listen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hints: Record<string, string> = {
        EADDRINUSE: '\nAnother program listens there. Stop it, or choose with --port (0 takes a free one).',
        EACCES: `\nPort ${port} needs more rights; choose with --port.`,
      }
      reject(failure(`cannot listen on ${host}:${port}: ${systemError(error)}${hints[error.code ?? ''] ?? ''}`))
    })
    server.listen(port, host, resolve)
  })
}

/** An address that can be pasted into a browser: `0.0.0.0` is a place to listen, not one to connect to. */
function shown({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `localhost:${port}`
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

function levels(level: string, least: string): boolean {
  const all = ['silent', 'error', 'warn', 'info', 'debug']
  return all.indexOf(level) >= all.indexOf(least)
}

function quiet(): CommandLogger {
  const nothing = (): void => {}
  return { debug: nothing, info: nothing, warn: nothing, error: nothing }
}
