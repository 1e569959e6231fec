/** Plain HTTP requests that dialects and feeds answer. */

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { PATH } from '../control/access.js'
import { clearTimeout, setTimeout } from '../engine/time.js'
import type { Supervisor } from '../host/supervisor.js'
import type { Clock } from '../interface/clock.js'
import type { Handle } from '../interface/switchboard.js'
import { errorText } from '../values/error.js'

/** Stands where otherwise the status does, for a file that is the body. */
const FILE = 'file'

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
        if (status === FILE) return sendFile(running, text!, method, headers, response)
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

/** Sends a recording as far as it is written now. What is no file, such as a pipe, might never be read. */
async function sendFile(running: Supervisor, file: string, method: string, headers: string[], response: ServerResponse): Promise<void> {
  await running.host.filesWritten()
  const path = resolve(running.host.root, file)
  const known = await stat(path).catch(() => undefined)
  if (!known?.isFile()) return refuse(response, 404, 'there is no recording of this name; GET /recordings names those that are written now')
  response.writeHead(200, [...headers, 'Content-Length', String(known.size)])
  if (method === 'HEAD' || known.size === 0) return void response.end()
  // Lines that come later are left out, as the length is told.
  await pipeline(createReadStream(path, { end: known.size - 1 }), response)
}

/** Whether an answer is what has to be done with the clock. */
function isClockStep([status]: string[]): boolean {
  return !/^\d/.test(status!) && status !== FILE
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
