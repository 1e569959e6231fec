/** The inspector: a page of plain files that shows what a server holds and acts on it over the control API. */

import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { headersOf } from '../accept/request.js'
import { PATH } from '../control/access.js'
import type { ControlSettings } from '../control/settings.js'
import type { Supervisor } from '../host/supervisor.js'
import type { Handle } from '../interface/switchboard.js'

/** Where it is. */
export const INSPECTOR_PATH = '/__switchboard/'

/** What it asks for first: the token. */
export const START = 'start.json'

// As `engine/wasm.ts` finds the engine.
const FOLDER = dirname(fileURLToPath(import.meta.url))

const TYPES: Record<string, string> = { html: 'text/html', css: 'text/css', js: 'text/javascript', json: 'application/json', txt: 'text/plain' }

/**
 * What a browser may load: its own files. No page may show it in a frame, and so have its buttons pressed, but those of its own
 * origin where they are asked for: they could as well get its token.
 */
const policy = (ancestors: "'none'" | "'self'"): string =>
  `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; img-src data:; frame-ancestors ${ancestors}; base-uri 'none'; form-action 'none'`

/** Answers requests for the inspector while there is a control API to stand on. `isFramed`: other pages of its origin show it. */
export function createInspector(running: Supervisor, access: () => ControlSettings | undefined, isFramed: () => boolean): Handle {
  return (request, response) => {
    const settings = access()
    const { method = 'GET', url = '' } = request
    const [path] = url.split('?', 1)
    if (!settings || !path!.startsWith(INSPECTOR_PATH.slice(0, -1)) || !['GET', 'HEAD'].includes(method)) return false
    const name = path === INSPECTOR_PATH ? 'index.html' : path!.slice(INSPECTOR_PATH.length)
    const isMissing = path === INSPECTOR_PATH.slice(0, -1)
    if (!isMissing && name !== START && !files().has(name)) return false
    const refusal = refusalOf(running, settings, request)
    const framed = isFramed()
    if (refusal) reply(request, response, refusal.status, 'txt', `${refusal.why}\n`, framed)
    else if (isMissing) redirect(request, response, framed)
    else if (name === START) reply(request, response, 200, 'json', JSON.stringify({ token: settings.token }), framed)
    else reply(request, response, 200, name.slice(name.lastIndexOf('.') + 1), files().get(name)!, framed)
    return true
  }
}

/** Whether a path is the inspector's. */
export function isOfPage(path: string): boolean {
  return path === INSPECTOR_PATH.slice(0, -1) || path.startsWith(INSPECTOR_PATH)
}

/**
 * Answers a request for the inspector of a server that hands out no token: whoever may connect sees what there is to try.
 * `start` is what the page asks for first. False: there is no such file.
 */
export function answerPage(path: string, request: IncomingMessage, response: ServerResponse, start: () => string): boolean {
  if (!path.startsWith(INSPECTOR_PATH)) {
    redirect(request, response)
    return true
  }
  const name = path === INSPECTOR_PATH ? 'index.html' : path.slice(INSPECTOR_PATH.length)
  if (name !== START && !files().has(name)) return false
  if (isOfOtherSite(request)) reply(request, response, 403, 'txt', `${OTHER_SITE}\n`)
  else if (name === START) reply(request, response, 200, 'json', start())
  else reply(request, response, 200, name.slice(name.lastIndexOf('.') + 1), files().get(name)!)
  return true
}

function reply({ method }: IncomingMessage, response: ServerResponse, status: number, type: string, body: string | Buffer, isFramed = false, more: Record<string, string> = {}): void {
  response.writeHead(status, { ...headers(type, isFramed), ...more }).end(method === 'HEAD' ? undefined : body)
}

function redirect(request: IncomingMessage, response: ServerResponse, isFramed = false): void {
  reply(request, response, 302, 'txt', '', isFramed, { location: INSPECTOR_PATH })
}

const OTHER_SITE = 'the inspector is for its own origin: open its address by itself, not by a link or from another page'

function isOfOtherSite(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site']
  return site !== undefined && site !== 'none' && site !== 'same-origin'
}

let known: Map<string, Buffer> | undefined

/** The files by name, read once. */
function files(): Map<string, Buffer> {
  const names = (): string[] => readdirSync(join(FOLDER, 'page'))
  return (known ??= new Map(names().map((name) => [name, readFileSync(join(FOLDER, 'page', name))])))
}

function headers(type: string, isFramed: boolean): Record<string, string> {
  return {
    'content-type': `${TYPES[type] ?? TYPES.txt}; charset=utf-8`,
    'cache-control': 'no-store',
    'content-security-policy': policy(isFramed ? "'self'" : "'none'"),
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
}

/** Why who asks may have none of it: it gets the token, so it is who may use the control API with it. */
function refusalOf(running: Supervisor, { token }: ControlSettings, request: IncomingMessage): { status: number; why: string } | undefined {
  if (isOfOtherSite(request)) return { status: 403, why: OTHER_SITE }
  const own = headersOf(request).filter((_, index, all) => all[index & ~1]!.toLowerCase() !== 'authorization')
  const answer = running.host.request('GET', PATH, request.socket?.remoteAddress ?? '', [...own, 'Authorization', `Bearer ${token}`], new Uint8Array())
  if (answer === undefined) return { status: 503, why: 'the engine does not run' }
  if (answer[0] === '200') return undefined
  const { error } = JSON.parse(answer.at(-1) || '{}') as { error?: string }
  return { status: Number(answer[0]), why: error ?? 'refused' }
}
