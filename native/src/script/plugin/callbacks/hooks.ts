/** Runs the user's functions, and answers the engine when they are done. */

import { withoutNull } from '../config/options.js'
import type { RouteCallbacks } from '../config/setup.js'
import { DONE } from '../connection/connection.js'
import type { Host } from '../connection/host.js'
import type { Socket } from '../connection/socket.js'
import { tellEvent, tellGone } from '../dialect/commands.js'
import { abandonJoin, leaveAll, type EncodedReply, runChannel } from '../dialect/membership.js'
import { passed } from '../dialect/proxy.js'
import type { Call } from '../engine/actor.js'
import { CloseCause, Hook } from '../engine/contract.js'
import type { AuthenticateResult, ResponseRule } from '../interface/handler.js'
import { shapeOf } from '../values/arguments.js'
import { errorText } from '../values/error.js'
import { fromPayload, toPayload, isThenable } from '../values/payload.js'
import { validated } from '../values/validation.js'

/** An entry of `responses` that matched, and its response. */
interface Found {
  index: number
  response: unknown
}

/** What users call the functions, by their number. */
const HOOK_NAMES: Record<number, string> = {
  [Hook.Authenticate]: 'authenticate',
  [Hook.Connect]: 'onConnect',
  [Hook.Transform]: 'transformRawData',
  [Hook.Respond]: 'responses',
  [Hook.Message]: 'onMessage',
  [Hook.Ping]: 'onPing',
  [Hook.Pong]: 'onPong',
  [Hook.Close]: 'onClose',
  [Hook.Error]: 'onError',
  [Hook.ClientMessage]: 'proxy.onClientMessage',
  [Hook.TargetMessage]: 'proxy.onTargetMessage',
  [Hook.ChannelJoin]: 'join',
  [Hook.ChannelHandleIn]: 'handleIn',
  [Hook.ChannelLeave]: 'leave',
  [Hook.ServerEvent]: 'commands.on',
}

const { Message: MESSAGE } = Hook

/** The functions of all routes. */
export class Hooks {
  readonly #host: Host
  /** By the route's number. Those of a route that is gone are there until another one has its number. */
  readonly #routes: RouteCallbacks[]
  /** The calls that are awaited. */
  readonly #awaited = new Map<number, { call: Call; socket: Socket }>()

  constructor(host: Host, routes: RouteCallbacks[]) {
    this.#host = host
    this.#routes = [...routes]
  }

  /** Takes other functions; `numbers` are those of their routes. */
  take(routes: RouteCallbacks[], numbers: number[]): void {
    for (const [place, number] of numbers.entries()) {
      const route = routes[place]
      // The last routes may be a configuration file's, which have no functions.
      if (route === undefined) continue
      const channels = new Map([...(this.#routes[number]?.channels ?? []), ...route.channels])
      // A channel that is gone still has to tell of the clients that leave it.
      this.#routes[number] = { ...route, channels }
    }
  }

  /**
   * Starts a call, and returns whether it has to be awaited. However it ends, and if it never does, at most its own
   * connection is affected.
   */
  run(call: Call, socket: Socket): boolean {
    socket.route = call.route
    socket.calls++
    let isAwaited = false
    try {
      const route = this.#routes[call.route]!
      const isMessage = call.hook === MESSAGE
      // Most calls are these. Each call of a function of ours costs as much as theirs.
      const result =
        isMessage && route.schema === undefined
          ? route.onMessage!(socket.connection, this.#message(call, socket, route))
          : this.#start(call, socket, route)
      // Of our own promise it is known that it is fulfilled: with nothing.
      if (result === undefined || result === DONE) {
        if (isMessage) this.#host.done(call.call)
        else this.#finish(call, socket, undefined)
      } else if (isThenable(result)) {
        isAwaited = true
        // The user's promise may be of any make.
        this.#awaited.set(call.call, { call, socket })
        Promise.resolve(result).then(
          (value) => {
            socket.calls--
            if (this.#settle(call)) this.#finish(call, socket, value)
          },
          (error) => {
            socket.calls--
            if (this.#settle(call)) this.#fail(call, socket, error)
          },
        )
      } else {
        this.#finish(call, socket, result)
      }
    } catch (error) {
      this.#fail(call, socket, error)
    }
    if (!isAwaited) socket.calls--
    return isAwaited
  }

  /** The engine failed: `onClose` of a connection that was lost by that is called from here. */
  interrupted(socket: Socket, { code, reason }: { code: number; reason: string }): void {
    if (socket.isToldClosed) return
    socket.isToldClosed = true
    const route = this.#routes[socket.route]
    for (const leave of leaveAll(socket)) this.#tell('leave', leave)
    if (route) this.#tell('commands.on.disconnect', () => tellGone(route.events, socket))
    if (route) this.#tell('onClose', () => route.onClose?.(socket.connection, code, reason, false))
  }

  /** Runs a function that nothing waits for. */
  #tell(name: string, run: () => unknown): void {
    const failed = (error: unknown): void => {
      this.#host.observer?.failed(name, error)
      this.#host.log.failed(name, error)
    }
    try {
      const result = run()
      if (isThenable(result)) Promise.resolve(result).then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }

  /**
   * The engine no longer waits. The function cannot be stopped and runs on while later ones of its connection run;
   * what comes of it changes nothing for them any more.
   */
  cancel(call: number): void {
    const awaited = this.#awaited.get(call)
    this.#awaited.delete(call)
    if (awaited?.call.hook === Hook.ChannelJoin) abandonJoin(awaited.socket, call)
  }

  /** The calls that are awaited, one object for each. */
  *pending(): Iterable<object> {
    for (const { call } of this.#awaited.values()) yield call
  }

  /** Whether the engine still waits for what an awaited call came to. */
  #settle(call: Call): boolean {
    return this.#awaited.get(call.call)?.call === call && this.#awaited.delete(call.call)
  }

  #start(call: Call, socket: Socket, route: RouteCallbacks): unknown {
    switch (call.hook) {
      case Hook.Authenticate:
        socket.request.params = JSON.parse(call.payload as string) ?? {}
        return route.authenticate!(socket.request)
      case Hook.Connect:
        return route.onConnect!(socket.connection, socket.request)
      case Hook.Transform:
        socket.messageCall = call.call
        return route.transformRawData!(bytes(call.payload))
      case Hook.Respond:
        socket.messageCall = call.call
        return this.#withMessage(call, socket, route, (message) => respond(route.responses, socket, message))
      case Hook.Message:
        return this.#withMessage(call, socket, route, (message) => route.onMessage!(socket.connection, message))
      case Hook.Ping:
        return route.onPing!(socket.connection, bytes(call.payload))
      case Hook.Pong:
        return route.onPong!(socket.connection, bytes(call.payload))
      case Hook.Close:
        socket.isToldClosed = true
        return route.onClose!(socket.connection, call.code, call.payload as string, call.detail !== CloseCause.Server)
      case Hook.Error:
        return route.onError!(socket.connection, takeError(call, socket))
      case Hook.ClientMessage:
        return route.inspectors.onClientMessage!(call.payload!, socket.connection)
      case Hook.TargetMessage:
        return route.inspectors.onTargetMessage!(call.payload!, socket.connection)
      case Hook.ChannelJoin:
      case Hook.ChannelHandleIn:
      case Hook.ChannelLeave:
        return runChannel(route.channels, call, socket, this.#host)
      case Hook.ServerEvent:
        return tellEvent(route.events, call, socket)
      default:
        throw new Error(`this version of the plugin has no callback ${call.hook}`)
    }
  }

  #finish(call: Call, socket: Socket, value: unknown): void {
    try {
      if (call.hook === Hook.Message) return this.#host.done(call.call)
      switch (call.hook) {
        case Hook.Authenticate:
          return this.#decide(call, socket, value)
        case Hook.Respond:
          return this.#respond(call, socket, value as Found | undefined)
        case Hook.ClientMessage:
        case Hook.TargetMessage:
          return this.#pass(call, value)
        case Hook.ChannelJoin:
        case Hook.ChannelHandleIn:
        case Hook.ChannelLeave:
          return this.#reply(call, value as EncodedReply)
        case Hook.Transform:
          if (socket.messageCall === call.call) socket.message = value
      }
      this.#host.done(call.call)
    } catch (error) {
      this.#fail(call, socket, error)
    }
  }

  #pass(call: Call, verdict: unknown): void {
    const passes = passed(verdict)
    if (passes === 'as it is') return this.#host.done(call.call)
    this.#host.answerWith(passes?.message, (core, kind, length) => core.answer_passed(call.call, kind, length))
  }

  #reply(call: Call, { status, response, stops }: EncodedReply): void {
    this.#host.answerWith(response, (core, kind, length) => core.answer_reply(call.call, status, kind, length, stops))
  }

  #fail(call: Call, socket: Socket, error: unknown): void {
    const isTaken = this.#routes[call.route]?.onError !== undefined && call.hook !== Hook.Error && call.hook !== Hook.Authenticate
    if (!isTaken) this.#host.observer?.failed(`${HOOK_NAMES[call.hook] ?? 'a callback'} on ${socket.path}`, error)
    const message = errorText(error)
    socket.thrown = { message, error }
    const stack = this.#host.log.stackOf(error)
    this.#host.answer((core) => core.answer_failed(call.call, message, stack))
  }

  /** Only a plain yes admits; what is neither yes nor no refuses, and the log says what it was. */
  #decide(call: Call, socket: Socket, verdict: unknown): void {
    const { success, data, ...refusal } = longForm(verdict)
    if (success === true) {
      const shown = json(data)
      socket.authData = data
      socket.isAdmitted = true
      return this.#host.answer((core) => core.answer_admitted(call.call, shown))
    }
    if (success === false) {
      const how = refusalOf(refusal)
      return this.#host.answer((core) => core.answer_refused(call.call, how))
    }
    const is = typeof verdict === 'object' && verdict !== null && 'success' in verdict ? ` whose success is ${shapeOf(success)}` : ''
    const message =
      `returned ${shapeOf(verdict)}${is}: answered 401. Return true or { success: true, data } to let a client in, ` +
      'false or { success: false, code, reason } or { success: false, status } to refuse it'
    this.#host.answer((core) => core.answer_no_verdict(call.call, message))
  }

  #respond(call: Call, socket: Socket, found: Found | undefined): void {
    if (found === undefined) return this.#host.answer((core) => core.answer_no_match(call.call))
    if (socket.messageCall === call.call) socket.message = undefined
    this.#host.answerWith(toPayload(found.response), (core, kind, length) => {
      core.answer_response(call.call, found.index, kind, length)
    })
  }

  /**
   * Runs a function with the message of a call, as the schema of its route makes it. Between two hooks that get the same
   * message it is validated once, by the first.
   */
  #withMessage(call: Call, socket: Socket, route: RouteCallbacks, run: (message: unknown) => unknown): unknown {
    const message = this.#message(call, socket, route)
    const isFirst = call.hook === Hook.Respond || route.responses.length === 0
    if (route.schema === undefined || !isFirst) return run(message)
    const use = (value: unknown): unknown => {
      if (call.hook === Hook.Respond) socket.message = value
      return run(value)
    }
    const value = validated(route.schema, message)
    if (!isThenable(value)) return use(value)
    // When it took too long, later messages are at work.
    return value.then((awaited) => (this.#awaited.get(call.call)?.call === call ? use(awaited) : undefined))
  }

  /** The message of a call, or the one that the hook before left. It stays for the hook after. */
  #message(call: Call, socket: Socket, route: RouteCallbacks): unknown {
    const { payload } = call
    const message = payload === undefined ? socket.message : fromPayload(payload, route.parse)
    socket.message = call.hook === MESSAGE ? undefined : message
    return message
  }
}

/** What `authenticate` returned, in its long form; without `success` if it is not an admission. */
function longForm(verdict: unknown): Partial<AuthenticateResult> {
  if (typeof verdict === 'boolean') return { success: verdict }
  return typeof verdict === 'object' && verdict !== null && !isThenable(verdict) ? verdict : {}
}

/** How to refuse, as JSON. Numbers that JSON does not have become text, to be complained about. */
function refusalOf({ code, reason, status, headers }: Partial<AuthenticateResult>): string {
  return JSON.stringify(withoutNull({ code, reason, status, headers }), (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  )
}

/** The first entry that matches, and its response; awaits only where there is something to await. */
function respond(
  rules: ResponseRule[],
  socket: Socket,
  message: unknown,
  start = 0,
): Found | undefined | PromiseLike<Found | undefined> {
  for (let index = start; index < rules.length; index++) {
    const { match, response } = rules[index]!
    const answer = (): Found | PromiseLike<Found> => {
      const value = typeof response === 'function' ? response(socket.connection, message) : response
      if (!isThenable(value)) return { index, response: value }
      return Promise.resolve(value).then((awaited) => ({ index, response: awaited }))
    }
    const matches = (match as Function)(socket.connection, message)
    if (isThenable(matches)) {
      return Promise.resolve(matches).then((yes) => (yes ? answer() : respond(rules, socket, message, index + 1)))
    }
    if (matches) return answer()
  }
  return undefined
}

/** What was thrown, if it was thrown here; it may be any value, but `onError` is promised an `Error`. */
function takeError(call: Call, socket: Socket): Error {
  const { thrown } = socket
  socket.thrown = undefined
  const message = call.payload as string
  if (thrown?.message !== message) return new Error(message)
  return thrown.error instanceof Error ? thrown.error : new Error(message, { cause: thrown.error })
}

function bytes(payload: string | Buffer | undefined): Buffer {
  return typeof payload === 'object' ? payload : Buffer.from(payload ?? '')
}

/** The data as JSON, for the parts of the engine that use it; `undefined` if JSON cannot represent it. */
function json(data: unknown): string | undefined {
  try {
    return JSON.stringify(data)
  } catch {
    return undefined
  }
}
