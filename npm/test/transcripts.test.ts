/** The golden transcripts, held by a real Vite development server. */

import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

import type { PluginOptions, RouteOptions } from 'vite-plugin-switchboard'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { handshake, raw } from './support/client.js'
import { atEnd, folder, type Running, serveVite } from './support/server.js'
import { type Expected, Names, readAll, type Step, type Target, type Transcript } from './support/transcript.js'

/** What plain requests show to the control API. */
const CONTROL_TOKEN = 'transcript'

/** Nobody else pings with this. Its pong says that everything before it was handled. */
const SYNC = 'everything before this'

/** What `ws` calls frames that are broken. */
const BROKEN: Record<string, string> = {
  WS_ERR_INVALID_UTF8: 'utf8',
  WS_ERR_INVALID_OPCODE: 'opcode',
  // The clients here offer no compression.
  WS_ERR_UNEXPECTED_RSV_1: 'deflate',
}

for (const transcript of readAll(join(import.meta.dirname, '../../core/tests/transcripts'))) {
  test(transcript.name, () => hold(transcript, () => ({ config: 'switchboard.toml' })))
  if (transcript.handlers !== undefined) test(`${transcript.name} by functions`, () => hold(transcript, (root) => byFunctions(transcript, root)))
}

/** What serves the handlers of a transcript in place of the configuration's routes, of which a prefix is all that else is there. */
async function byFunctions({ config }: Transcript, root: string): Promise<PluginOptions> {
  const prefix = /^prefix = (.*)$/m.exec(config)?.[1]
  if (prefix !== undefined) return { files: 'handlers.js', endpointPrefix: JSON.parse(prefix) }
  // Handler files are below a prefix always, and routes never.
  const { default: main = [], ...named } = await import(/* @vite-ignore */ pathToFileURL(join(root, 'handlers.js')).href)
  return { routes: [main, ...Object.values(named)].flat() as RouteOptions[] }
}

async function hold({ config, files, handlers, steps }: Transcript, options: (root: string) => PluginOptions | Promise<PluginOptions>): Promise<void> {
  const root = folder()
  writeFileSync(join(root, 'switchboard.toml'), config)
  writeFileSync(join(root, 'handlers.js'), handlers ?? '')
  for (const { name, text } of files) writeFileSync(join(root, name), text)
  const hasPrefix = /^prefix =/m.test(config)
  const served = await options(root)
  const run = new Run(await serveVite({ ...served, control: { token: CONTROL_TOKEN } }, { root }), hasPrefix)
  for (const { line, step } of steps) {
    await run.take(step).catch((error) => {
      throw new Error(`line ${line}: ${error.message}`, { cause: error })
    })
  }
}

class Run {
  readonly #server: Running
  readonly #hasPrefix: boolean
  readonly #names = new Names()
  readonly #clients = new Map<string, Client>()

  constructor(server: Running, hasPrefix: boolean) {
    this.#server = server
    this.#hasPrefix = hasPrefix
  }

  async take(step: Step): Promise<void> {
    switch (step.verb) {
      case 'connects':
        this.#clients.set(step.who, await this.#connect(step.target))
        return
      case 'gets': {
        // Vite leaves unanswered what is nobody's; whether we do, bad-input.test.ts sees.
        if (step.status === 404 && !this.#hasPrefix) return
        const answer = await raw(this.#server.port, upgradeRequest(this.#names.fill(step.target.path), step.target))
        expect(answer.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1.1 ${step.status} `))
        return
      }
      case 'is-dropped':
        return expect(await raw(this.#server.port, upgradeRequest(this.#names.fill(step.target.path), step.target))).toBe('')
      case 'says':
        return this.#client(step.who).say(this.#names.fill(step.text))
      case 'says-binary':
        return this.#client(step.who).say(step.bytes)
      case 'pings':
        return this.#client(step.who).ping(step.text)
      case 'pongs':
        return this.#client(step.who).pong(step.text)
      case 'closes':
        return this.#client(step.who).close(step.code, step.reason)
      case 'vanishes':
        return this.#client(step.who).vanish()
      case 'hears':
        return this.#hears(step.who, step.expected)
      case 'hears-nothing':
        return expect(await this.#client(step.who).rest()).toEqual([])
      case 'wait':
        return pass(step.ms)
      case 'http':
        return this.#http(step)
    }
  }

  #client(who: string): Client {
    const client = this.#clients.get(who)
    if (!client) throw new Error(`${who} has not connected`)
    return client
  }

  async #connect({ path, headers }: Target): Promise<Client> {
    // As a header, because as an option ws would insist on one of them being taken.
    const socket = new WebSocket(this.#server.url(this.#names.fill(path)), {
      headers: Object.fromEntries(headers),
      autoPong: false,
      perMessageDeflate: false,
    })
    atEnd(() => socket.terminate())
    const client = new Client(socket)
    await client.opened
    await client.sync()
    return client
  }

  async #hears(who: string, expected: Expected): Promise<void> {
    const heard = await this.#client(who).next()
    if (expected.kind === 'json') {
      expect(heard.kind).toBe('text')
      const { text } = heard as { text: string }
      if (!this.#names.matches(JSON.parse(expected.text), JSON.parse(text))) {
        throw new Error(`expected ${expected.text}\n     got ${text}`)
      }
    } else if (expected.kind === 'text') {
      expect(heard).toEqual({ kind: 'text', text: this.#names.fill(expected.text) })
    } else if (expected.kind === 'close' && expected.reason === undefined) {
      expect(heard).toMatchObject({ kind: 'close', code: expected.code })
    } else {
      expect(heard).toEqual(expected)
    }
  }

  async #http({ method, path, body, status, json }: Extract<Step, { verb: 'http' }>): Promise<void> {
    const answer = await fetchText(this.#server.port, method, this.#names.fill(path), this.#names.fill(body))
    expect(answer).toMatchObject({ status })
    if (json !== undefined && !this.#names.matches(JSON.parse(json), JSON.parse(answer.text))) {
      throw new Error(`expected ${json}\n     got ${answer.text}`)
    }
  }
}

/** One client; what comes is kept in order. */
class Client {
  readonly opened: Promise<void>
  readonly #socket: WebSocket
  readonly #heard: Expected[] = []
  #wake: (() => void) | undefined
  #isOver = false

  constructor(socket: WebSocket) {
    this.#socket = socket
    this.opened = new Promise((resolve, reject) => {
      socket.on('open', resolve)
      socket.on('error', reject)
    })
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      const damage = BROKEN[code ?? '']
      if (damage) this.#hear({ kind: 'broken', damage })
    })
    socket.on('message', (data: Buffer, isBinary) => {
      this.#hear(isBinary ? { kind: 'binary', bytes: data } : { kind: 'text', text: data.toString() })
    })
    socket.on('ping', (data: Buffer) => this.#hear({ kind: 'ping', text: data.toString() }))
    socket.on('pong', (data: Buffer) => this.#hear({ kind: 'pong', text: data.toString() }))
    socket.on('close', (code, reason) => {
      this.#isOver = true
      this.#hear({ kind: 'close', code, reason: reason.toString() })
    })
  }

  async say(data: string | Buffer): Promise<void> {
    this.#socket.send(data)
    await this.sync()
  }

  async ping(text: string): Promise<void> {
    this.#socket.ping(text)
    await this.sync()
  }

  async pong(text: string): Promise<void> {
    this.#socket.pong(text)
    await this.sync()
  }

  async close(code: number | undefined, reason: string): Promise<void> {
    this.#socket.close(code, reason)
    while (!this.#isOver) await this.#more()
  }

  async vanish(): Promise<void> {
    this.#socket.terminate()
    while (!this.#isOver) await this.#more()
  }

  async next(): Promise<Expected> {
    while (this.#heard.length === 0) await this.#more()
    return this.#heard.shift()!
  }

  /** What has come and was not asked for. */
  async rest(): Promise<Expected[]> {
    await this.sync()
    return this.#heard
  }

  /** Waits for the answer of a ping; afterwards whatever was on its way has come. */
  async sync(): Promise<void> {
    if (this.#isOver || this.#socket.readyState !== WebSocket.OPEN) return
    this.#socket.ping(SYNC)
    for (;;) {
      const at = this.#heard.findIndex((heard) => heard.kind === 'pong' && heard.text === SYNC)
      if (at !== -1) return void this.#heard.splice(at, 1)
      if (this.#isOver) return
      await this.#more()
    }
  }

  #hear(heard: Expected): void {
    this.#heard.push(heard)
    this.#wake?.()
  }

  #more(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }
}

function upgradeRequest(path: string, { headers }: Target): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return handshake(path).replace(/\r\n$/, `${lines}\r\n`)
}

function fetchText(port: number, method: string, path: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const isControl = path.startsWith('/__switchboard/')
    const headers = isControl ? { authorization: `Bearer ${CONTROL_TOKEN}` } : {}
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
