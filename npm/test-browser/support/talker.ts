/** Clients that talk all the while, and know what they have heard. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { Page } from 'playwright-core'
import { WebSocket } from 'ws'

/** A message of a talker, as all members of its room get it. */
export interface Said {
  from: string
  number: number
}

/** A client that says a number every few ms, each once. */
export interface Talker {
  name: string
  /** Says nothing more; how many numbers it has said. */
  stop(): Promise<number>
  /** All that it has heard. */
  heard(): Promise<Said[]>
  /** Why it was closed, if it was. */
  closed(): Promise<string | undefined>
  end(): Promise<void>
}

/** How long in ms a talker waits between two messages. */
export const PACE = 15

/** npm's `ws`. */
export async function wsTalker(url: string, name: string): Promise<Talker> {
  const socket = new WebSocket(url)
  const heard: Said[] = []
  let closed: string | undefined
  socket.on('message', (data) => heard.push(JSON.parse((data as Buffer).toString())))
  socket.on('close', (code, reason) => (closed = `${code} ${reason}`))
  await once(socket, 'open')
  let number = 0
  const timer = setInterval(() => socket.send(JSON.stringify({ from: name, number: number++ })), PACE)
  return {
    name,
    stop: async () => (clearInterval(timer), number),
    heard: async () => heard,
    closed: async () => closed,
    end: async () => socket.terminate(),
  }
}

/** A page's own WebSocket. */
export async function pageTalker(page: Page, url: string, name: string): Promise<Talker> {
  await page.evaluate(
    ({ url, name, pace }) =>
      new Promise<void>((resolve) => {
        const talker = { number: 0, heard: [] as string[], closed: undefined as string | undefined, timer: 0 }
        Object.assign(window, { talker })
        const socket = new window.WebSocket(url)
        socket.onmessage = ({ data }) => talker.heard.push(String(data))
        socket.onclose = ({ code, reason }) => (talker.closed = `${code} ${reason}`)
        socket.onopen = () => {
          talker.timer = window.setInterval(() => socket.send(JSON.stringify({ from: name, number: talker.number++ })), pace)
          resolve()
        }
      }),
    { url, name, pace: PACE },
  )
  const ask = <T>(of: string): Promise<T> => page.evaluate(`window.talker.${of}`) as Promise<T>
  return {
    name,
    stop: async () => {
      await page.evaluate('clearInterval(window.talker.timer)')
      return ask('number')
    },
    heard: async () => (await ask<string[]>('heard')).map((text) => JSON.parse(text)),
    closed: () => ask('closed'),
    end: () => page.close(),
  }
}

/** Python's `websockets`. */
export async function pythonTalker(python: string, url: string, name: string): Promise<Talker> {
  const script = fileURLToPath(new URL('talker.py', import.meta.url))
  const child = spawn(python, [script, url, name, String(PACE)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const heard: Said[] = []
  let closed: string | undefined
  let said = 0
  const lines = createInterface({ input: child.stdout })
  const opened = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the Python client ended with ${code}`)))
    lines.on('line', (line) => {
      const event = JSON.parse(line)
      if (event.opened) resolve()
      else if (event.closed) closed = event.closed
      else if (event.said !== undefined) said = event.said
      else heard.push(event)
    })
  })
  await opened
  return {
    name,
    stop: async () => {
      const last = once(lines, 'stopped')
      lines.on('line', (line) => 'said' in JSON.parse(line) && lines.emit('stopped'))
      child.stdin.write('stop\n')
      await last
      return said
    },
    heard: async () => heard,
    closed: async () => closed,
    end: async () => {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}
