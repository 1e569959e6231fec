/** Plain HTTP requests that dialects and feeds answer. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Supervisor } from '../host/supervisor.js'
import type { Handle } from '../interface/switchboard.js'
import { errorText } from '../values/error.js'

/** The request handler of one Switchboard. */
export function createHandle(running: Supervisor): Handle {
  return (request, response) => {
    const { method = 'GET', url = '' } = request
    const limit = running.host.ask((core) => core.endpoint(method, url), undefined)
    if (limit === undefined) return false
    read(request, limit)
      .then((body) => {
        if (body === undefined) return tooLarge(response, limit)
        const answer = running.host.request(method, url, headersOf(request), body)
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

/** The whole body; `undefined` as soon as it is larger than allowed. What comes after that is discarded. */
function read(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= limit) return chunks.push(chunk)
      chunks = []
      resolve(undefined)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
    request.on('close', () => reject(new Error('the client is gone')))
  })
}

function tooLarge(response: ServerResponse, limit: number): void {
  const body = JSON.stringify({ error: `the body has at most ${limit} bytes` })
  response.writeHead(413, { 'Content-Type': 'application/json; charset=utf-8' }).end(body)
}

/** Names and values in turn, without the pseudo-headers of HTTP/2. */
function headersOf(request: IncomingMessage): string[] {
  const { rawHeaders } = request
  return rawHeaders.filter((_, index) => !rawHeaders[index & ~1]!.startsWith(':'))
}
