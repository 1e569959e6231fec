// Runs the functions of handlers with the plugin's own code, which sees here what it sees in Node: a host, its engine, and
// sockets. The native server is behind `native`.

import 'switchboard:runtime/globals.js'
import { Buffer } from 'switchboard:runtime/buffer.js'
import { fire } from 'switchboard:runtime/timers.js'
import { Hooks } from 'switchboard:plugin/callbacks/hooks.ts'
import { setUp } from 'switchboard:plugin/config/setup.ts'
import { Connection } from 'switchboard:plugin/connection/connection.ts'
import { Hook, PayloadKind } from 'switchboard:plugin/engine/contract.ts'
import { handlersOf } from 'switchboard:plugin/files/exports.ts'

const native = globalThis.__switchboard
delete globalThis.__switchboard

const { Authenticate: AUTHENTICATE, Message: MESSAGE } = Hook

const LEVELS = { debug: 1, info: 2, warn: 3, error: 4 }

/** What the next command or answer carries. */
let carried

/** The call whose function runs, and whether that is done. */
let current = 0
let isDone = false

const core = {
  is_open: native.isOpen,
  is_in_room: native.isInRoom,
  rooms: native.rooms,
  join: native.join,
  leave: native.leave,
  recover: native.recover,
  ping: (slot, generation) => native.ping(slot, generation, bytesOf(carried)),
  pong: (slot, generation) => native.pong(slot, generation, bytesOf(carried)),
  close: native.close,
  terminate: native.terminate,
  heartbeat: native.heartbeat,
  inactivity_timeout: native.inactivityTimeout,
  reset_missed_pongs: native.resetMissedPongs,
  add_connection_faults: native.addFaults,
  remove_faults: native.removeFaults,
  answer_failed: native.failed,
  answer_admitted: native.admitted,
  answer_refused: native.refused,
  answer_no_verdict: native.noVerdict,
  answer_no_match: native.noMatch,
  answer_response: (call, index) => native.response(call, index, sent(carried)),
  answer_passed: (call) => native.passed(call, sent(carried)),
  answer_reply: (call, status, kind, length, stops) => native.reply(call, status, sent(carried), stops),
}

const log = {
  isDebug: false,
  write: (level, text) => native.log(LEVELS[level], text, undefined),
  stackOf,
  failed: (what, thrown) => native.log(LEVELS.error, `${what} failed: ${textOf(thrown)}`, stackOf(thrown)),
}

const host = {
  log,
  observer: undefined,
  input: (call) => call(core),
  // The one that runs is told to be done by what `run` gives back.
  done(call) {
    if (call === current) isDone = true
    else native.done(call)
  },
  answer: (call) => call(core),
  ask: (question) => question(core),
  inputWith(message, call) {
    if (message === undefined) return undefined
    carried = message
    return call(core, kindOf(message), 0)
  },
  answerWith(message, call) {
    carried = message
    call(core, message === undefined ? PayloadKind.Nothing : kindOf(message), 0)
  },
  send(socket, message) {
    if (message !== undefined) native.send(socket.slot, socket.generation, typeof message === 'string' ? message : bytesOf(message))
  },
  broadcast(socket, message, rooms, includeSelf) {
    if (message === undefined) return
    native.broadcast(socket.slot, socket.generation, sent(message), rooms && rooms.map(wellFormed), includeSelf)
  },
  broadcastAllRooms(socket, message, includeSelf) {
    if (message !== undefined) native.broadcastAllRooms(socket.slot, socket.generation, sent(message), includeSelf)
  },
  routes: {
    command(route, socket, name, payload) {
      const wrong = native.command(route, socket?.slot, socket?.generation ?? 0, name, wellFormed(JSON.stringify(payload)))
      if (wrong !== undefined) throw new Error(wrong)
    },
  },
}

/** A message as it crosses: text, or the bytes of a buffer. */
function sent(message) {
  return typeof message === 'string' ? message : message && bytesOf(message)
}

/** What UTF-8 cannot say becomes U+FFFD, as TextEncoder has it. */
function wellFormed(text) {
  return text.isWellFormed() ? text : text.toWellFormed()
}

function bytesOf(message) {
  if (typeof message === 'string') return native.encode(message)
  return message.byteLength === message.buffer.byteLength ? message.buffer : message.slice().buffer
}

function kindOf(message) {
  return typeof message === 'string' ? PayloadKind.Text : PayloadKind.Binary
}

const CAUSES = 2

/** The calls that led to an error, a line each. */
function stackOf(thrown, causes = CAUSES) {
  try {
    if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return undefined
    const calls = native.shorten(thrown.stack)
    const { cause } = thrown
    const below = causes > 0 && cause instanceof Error ? `    caused by: ${String(cause.message).split('\n', 1)[0]}\n${stackOf(cause, causes - 1) ?? ''}` : ''
    return [calls, below].filter(Boolean).join('\n').trimEnd() || undefined
  } catch {
    // It is for the log alone; an error with a getter that throws must not cost more than the others.
    return undefined
  }
}

function textOf(thrown) {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown)
  } catch {
    return 'something that has no text was thrown'
  }
}

/** A client, from its first function to its end, as the plugin's code sees it. */
class Socket {
  slot
  generation
  request
  name = ''
  subprotocol = undefined
  authData = undefined
  isAdmitted = false
  message = undefined
  route = -1
  isToldClosed = false
  calls = 0
  messageCall = 0
  thrown = undefined
  isOpen = false
  isGone = false
  connection = new Connection(host, this)
  #waiting = []

  constructor(slot, generation, facts) {
    this.slot = slot
    this.generation = generation
    this.request = requestOf(facts)
  }

  /** It was let in. */
  opened({ name, subprotocol, params, authData }) {
    this.isOpen = true
    this.name = name
    this.subprotocol = subprotocol ?? undefined
    this.request.params = params
    if (!this.isAdmitted) this.authData = authData ?? undefined
  }

  get path() {
    const { url } = this.request
    const end = url.search(/[?#]/)
    return end === -1 ? url : url.slice(0, end)
  }

  get closed() {
    if (this.#waiting === undefined || (this.isGone && this.calls > 0)) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  gone() {
    this.isGone = true
    if (this.calls > 0) this.forgotten()
  }

  forgotten() {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const resolve of waiting) resolve()
  }
}

/** The opening handshake's request, as Node's `IncomingMessage` has it. */
function requestOf({ method, url, headers, address, params }) {
  const joined = {}
  const rawHeaders = []
  for (const [name, value] of headers) {
    rawHeaders.push(name, value)
    if (name === 'set-cookie') (joined[name] ??= []).push(value)
    else joined[name] = name in joined ? `${joined[name]}${name === 'cookie' ? '; ' : ', '}${value}` : value
  }
  const socket = { remoteAddress: address ?? undefined }
  return { method, url, httpVersion: '1.1', headers: joined, rawHeaders, params: params ?? {}, socket, connection: socket }
}

/** By slot. One that was refused stays until its slot has another. */
const sockets = []
const hooks = new Hooks(host, [])
/** By number: what `commands.on.start` of a route is. */
const starts = []
/** The channels of a handler, by its label: one that an edit takes away still has to tell of the clients that leave it. */
const channels = new Map()

/** What `run` gives back. */
const [ANSWERED, AWAITED, DONE] = [0, 1, 2]

/** The call of a message, which is used again if nothing awaits it: to make one costs as much as all else. */
let messageCall = newCall(MESSAGE)

function newCall(hook) {
  return { call: 0, route: 0, slot: 0, generation: 0, hook, payload: undefined, about: undefined, code: 0, detail: 0 }
}

/** Runs `onMessage`, as most calls do; how it went. */
function message(number, route, slot, generation, payload) {
  const socket = sockets[slot]
  if (socket === undefined || socket.generation !== generation || !socket.isOpen) return run(number, MESSAGE, route, slot, generation, payload)
  const call = messageCall
  call.call = current = number
  call.route = route
  call.slot = slot
  call.generation = generation
  call.payload = typeof payload === 'object' ? Buffer.from(payload) : payload
  isDone = false
  const isAwaited = hooks.run(call, socket)
  current = 0
  if (isAwaited) {
    messageCall = newCall(MESSAGE)
    return AWAITED
  }
  call.payload = undefined
  return isDone ? DONE : ANSWERED
}

/** Runs a function; how it went. */
function run(number, hook, route, slot, generation, payload, about, code, detail) {
  let socket = sockets[slot]
  if (socket === undefined || socket.generation !== generation) {
    sockets[slot] = socket = new Socket(slot, generation, JSON.parse(native.facts()))
  }
  if (!socket.isOpen && hook !== AUTHENTICATE) socket.opened(JSON.parse(native.facts()))
  if (hook === MESSAGE) return message(number, route, slot, generation, payload)
  const call = newCall(hook)
  call.call = current = number
  call.route = route
  call.slot = slot
  call.generation = generation
  call.payload = typeof payload === 'object' ? Buffer.from(payload) : payload
  call.about = about
  call.code = code ?? 0
  call.detail = detail ?? 0
  isDone = false
  const isAwaited = hooks.run(call, socket)
  current = 0
  return isAwaited ? AWAITED : isDone ? DONE : ANSWERED
}

/** The transport of a connection is gone. */
function gone(slot, generation) {
  const socket = sockets[slot]
  if (socket?.generation === generation) socket.gone()
}

/** The engine has forgotten a connection. */
function forget(slot, generation) {
  const socket = sockets[slot]
  if (socket?.generation !== generation) return
  sockets[slot] = undefined
  socket.forgotten()
}

/** The handlers of a module: what the engine is told of each, as JSON, and the number that its functions have from now on. */
function take(path, module) {
  const handlers = handlersOf({ ...module }, path)
  const options = { options: {}, prefixes: [], handlers, routes: [], given: [], environment: {}, control: undefined }
  const { data, routes: functions } = setUp(options, '')
  const [{ config, hooks: sets, labels }] = data.parts
  const numbers = functions.map((one, index) => {
    one.channels = new Map([...(channels.get(labels[index]) ?? []), ...one.channels])
    channels.set(labels[index], one.channels)
    return starts.push(one.events.start) - 1
  })
  hooks.take(functions, numbers)
  return JSON.stringify(labels.map((label, index) => ({ label, config: config.routes[index], hooks: sets[index], number: numbers[index] })))
}

/** The server has started. */
function start(route) {
  const started = starts[route]
  if (!started) return
  const failed = (error) => log.failed('commands.on.start', error)
  try {
    Promise.resolve(started()).then(undefined, failed)
  } catch (error) {
    failed(error)
  }
}

const NOTHING = { responses: [], channels: new Map(), events: {}, inspectors: {} }

/** The functions of a route are not called any more. */
function release(route) {
  starts[route] = undefined
  hooks.take([NOTHING], [route])
}

/** Somebody waits for a promise, in the host. */
const awaited = (promise) => void promise.then(() => {}, () => {})

native.ready({ release, awaited, run, message, gone, forget, take, start, fire, cancel: (call) => hooks.cancel(call), stackOf, textOf })
