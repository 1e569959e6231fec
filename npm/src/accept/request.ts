/** Plain HTTP requests that dialects and feeds answer. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import { PATH } from '../control/access.js'
import { clearTimeout, setTimeout } from '../engine/time.js'
import type { Supervisor } from '../host/supervisor.js'
import type { Clock } from '../interface/clock.js'
import type { Handle } from '../interface/switchboard.js'
import { errorText } from '../values/error.js'

/** What makes the server like a fresh one. */
const RESET = new RegExp(`^${PATH}/reset/?(?:\\?|$)`)

/** The request handler of one Switchboard. */
export function createHandle(running: Supervisor): Handle {
  return (request, response) => {
    const { method = 'GET', url = '' } = request
    const limit = running.host.ask((core) => core.endpoint(method, url), undefined)
    if (limit === undefined) return false
    read(request, limit, running.host.ask((core) => core.request_timeout(), 0))
      .then(async (body) => {
        if (body === 'too large') return refuse(response, 413, `the body has at most ${limit} bytes`)
        if (body === 'too late') return refuse(response, 408, 'the body takes too long')
        const ask = (method: string, body: Uint8Array): string[] | undefined =>
          running.host.request(method, url, request.socket?.remoteAddress ?? '', headersOf(request), body)
        let answer = ask(method, body)
        if (answer !== undefined && isClockStep(answer)) {
          const why = await move(running.clock, answer)
          if (why !== undefined) return refuse(response, 409, why)
          answer = ask('GET', new Uint8Array())
        }
        if (answer?.[0] === '200' && method === 'POST' && RESET.test(url)) running.clock.restore()
        if (answer === undefined) return void response.writeHead(503).end()
        const [status, ...headers] = answer
        const text = headers.pop()
        response.writeHead(Number(status), headers).end(method === 'HEAD' ? undefined : text)
      })
      .catch((error: unknown) => {
        // Nobody is left to be answered.
        response.destroy()
        if (!request.destroyed) running.host.log.write('error', `${method} ${url}: ${errorText(error)}`)
      })
    return true
  }
}

/** Whether an answer is what has to be done with the clock. */
function isClockStep([status]: string[]): boolean {
  return !/^\d/.test(status!)
}

/** Moves the clock; gives back why it cannot. */
async function move(clock: Clock, [step, time]: string[]): Promise<string | undefined> {
  try {
    if (step === 'advance') await clock.advance(Number(time))
    else await clock[step as 'pause' | 'resume' | 'runNext']()
  } catch (error) {
    return errorText(error)
  }
}

/** The whole body, or what is wrong with it: then nothing more of it is kept. `time` is in ms. */
function read(request: IncomingMessage, limit: number, time: number): Promise<Buffer | 'too large' | 'too late'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      chunks = []
      length = Infinity
      resolve('too late')
    }, time)
    request.on('close', () => clearTimeout(timer))
    let chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= limit) return chunks.push(chunk)
      chunks = []
      resolve('too large')
    })
    request.on('end', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(chunks))
    })
    request.on('error', reject)
    request.on('close', () => reject(new Error('the client is gone')))
  })
}

function refuse(response: ServerResponse, status: number, error: string): void {
  const headers: Record<string, string> = { 'Content-Type': 'application/json; charset=utf-8' }
  // The rest of the body would be taken for a request.
  if (status === 408) headers.Connection = 'close'
  response.writeHead(status, headers).end(JSON.stringify({ error }))
}

/** Names and values in turn, without the pseudo-headers of HTTP/2. */
export function headersOf(request: IncomingMessage): string[] {
  const { rawHeaders } = request
  return rawHeaders.filter((_, index) => !rawHeaders[index & ~1]!.startsWith(':'))
}
