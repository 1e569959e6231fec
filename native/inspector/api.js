// The control API of the server that serves this page.

const KEPT = 'switchboard-token'
const ROOT = new URL('api/v1', new URL('.', location.href)).href.replace(/#.*/, '')

let token = ''
/** What the server has told at the start: its endpoints, where it knows them without a token. */
export let endpoints

/** Why nothing was done; `status` is 0 where there was no answer. */
export class Failure extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** Takes the token out of the address bar, or asks the server for what a page may know. */
export async function begin() {
  const [, given] = /^#token=(.*)$/s.exec(location.hash) ?? []
  if (given !== undefined) {
    keep(decoded(given))
    history.replaceState(null, '', '#')
  }
  const response = await fetch('start.json').catch(() => undefined)
  if (!response) throw new Failure(0, 'the server does not answer')
  if (!response.ok) throw new Failure(response.status, await response.text())
  const start = await response.json()
  if (start.endpoints) endpoints = { endpoints: start.endpoints, http: start.http }
  token = start.token ?? sessionStorage.getItem(KEPT) ?? ''
}

/** Uses another token from now on. */
export function keep(given) {
  token = given.trim()
  sessionStorage.setItem(KEPT, token)
}

/** Whether there is a token to ask with. */
export function hasToken() {
  return token !== ''
}

/** Asks for a path of the API: by GET, or with a body by POST. */
export async function ask(path, body, method = body === undefined ? 'GET' : 'POST') {
  return (await answerOf(path, body, method)).json()
}

/** Asks for text, such as a recording. */
export async function askText(path) {
  return (await answerOf(path, undefined, 'GET')).text()
}

async function answerOf(path, body, method) {
  const init = { method, headers: { authorization: `Bearer ${token}` }, body: body === undefined ? undefined : JSON.stringify(body) }
  let response
  try {
    response = await fetch(ROOT + path, init)
  } catch {
    throw new Failure(0, 'the server does not answer')
  }
  if (response.ok) return response
  const answer = await response.json().catch(() => ({}))
  throw new Failure(response.status, answer.error ?? `${response.status} ${response.statusText}`)
}

/** The URL of the WebSocket of live events. */
export function eventsUrl(options) {
  const url = new URL(`${ROOT}/events`)
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  for (const [name, value] of Object.entries({ token, ...options })) url.searchParams.set(name, value)
  return url
}

function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
