/** What a server of the command answers beside its endpoints: the inspector, `/health`, and that there is nothing. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import { headersOf } from '../accept/request.js'
import type { Core } from '../engine/wasm.js'
import type { Supervisor } from '../host/supervisor.js'
import { answerPage, isOfPage } from '../inspector/serve.js'
import { version } from './version.js'

const started = performance.now()

/** Answers a plain request that no endpoint has answered. */
export function answer(running: Supervisor, request: IncomingMessage, response: ServerResponse): void {
  const { method = 'GET', url = '/' } = request
  const [path] = url.split('?', 1) as [string]
  const isGet = method === 'GET' || method === 'HEAD'
  const isHealth = isGet && path === '/health'
  // Programs that watch the server may know it under any name.
  const isExempt = isHealth && request.headers.origin === undefined
  const refusal = refusalOf(running, request, isExempt, false)
  if (refusal !== undefined) return write(response, method, refusal)
  if (isHealth) return health(running, response, method)
  const isInspector = isGet && (path === '/' || isOfPage(path))
  if (isInspector && answerPage(path, request, response, () => start(running))) return
  const nothing = refusalOf(running, request, isExempt, true)
  if (nothing === undefined) response.writeHead(400).end()
  else write(response, method, nothing)
}

function refusalOf(running: Supervisor, request: IncomingMessage, isExempt: boolean, isLast: boolean): string[] | undefined {
  const { method = 'GET', url = '/' } = request
  return running.host.refusePlain(method, url, headersOf(request), isExempt, isLast)
}

/** `start.json` of the inspector: what there is to try. Its token, if there is one, stands in the link that was printed. */
function start(running: Supervisor): string {
  return running.host.ask((core: Core) => core.inventory(), '{}')
}

function health(running: Supervisor, response: ServerResponse, method: string): void {
  const { recordingBytes: _, ...stats } = running.host.stats()
  const uptimeSeconds = Math.floor((performance.now() - started) / 1000)
  const body = JSON.stringify({ status: 'ok', ...stats, uptimeSeconds, version: version() })
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(method === 'HEAD' ? undefined : body)
}

function write(response: ServerResponse, method: string, [status, ...headers]: string[]): void {
  const body = headers.pop()
  response.writeHead(Number(status), headers).end(method === 'HEAD' ? undefined : body)
}
