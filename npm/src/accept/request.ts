/** Plain HTTP requests that dialects and feeds answer. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import { clearTimeout, setTimeout } from '../engine/time.js'
import type { Supervisor } from '../host/supervisor.js'
import type { Handle } from '../interface/switchboard.js'
import { errorText } from '../values/error.js'

/** The request handler of one Switchboard. */
export function createHandle(running: Supervisor): Handle {
  return (request, response) => {
    const { method = 'GET', url = '' } = request
    const limit = running.host.ask((core) => core.endpoint(method, url), undefined)
    if (limit === undefined) return false
    read(request, limit, running.host.ask((core) => core.request_timeout(), 0))
      .then((body) => {
        if (body === 'too large') return refuse(response, 413, `the body has at most ${limit} bytes`)
        if (body === 'too late') return refuse(response, 408, 'the body takes too long')
        const answer = running.host.request(method, url, request.socket?.remoteAddress ?? '', headersOf(request), body)
        if (answer === undefined) response.writeHead(503).end()
        else response.writeHead(answer.status, answer.headers).end(method === 'HEAD' ? undefined : answer.body)
      })
      .catch((error: unknown) => {
        // Nobody is left to be answered.
        response.destroy()
        if (!request.destroyed) running.host.log.write('error', `${method} ${url}: ${errorText(error)}`)
      })
    return true
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
function headersOf(request: IncomingMessage): string[] {
  const { rawHeaders } = request
  return rawHeaders.filter((_, index) => !rawHeaders[index & ~1]!.startsWith(':'))
}
