/** The parts of the host that need no engine. */

import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'

import { afterEach, expect, test, vi } from 'vitest'

import { Strings } from '../src/connection/strings.js'
import type { Actor } from '../src/engine/actor.js'
import { Alarm } from '../src/host/alarm.js'
import { Batch } from '../src/engine/batch.js'
import { CloseCause, Header, Hook, ServerEvent } from '../src/engine/contract.js'
import { MAX_MESSAGE, Memory } from '../src/engine/memory.js'

afterEach(() => void vi.useRealTimers())

const HEADER = 64
const WORDS = 1024

/** Memory as WebAssembly has it: when it grows, what was its buffer is detached. */
class Source {
  buffer = new ArrayBuffer(128 * 1024)

  /** Moves what it holds, as growing does: views of before see nothing any more. */
  detach(): void {
    const { buffer } = this
    this.buffer = structuredClone(buffer, { transfer: [buffer] })
  }
}

function golden(): { source: Source; batch: Batch } {
  const file = new URL('golden/batch.json', import.meta.url)
  const { bytes, words } = JSON.parse(readFileSync(file, 'utf8')) as { bytes: { address: number; hex: string }[]; words: number[] }
  const source = new Source()
  for (const { address, hex } of bytes) Buffer.from(source.buffer).write(hex, address, 'hex')
  const view = new Uint32Array(source.buffer)
  view.set(words, WORDS / 4)
  view[HEADER / 4 + Header.BatchAddress] = WORDS
  view[HEADER / 4 + Header.BatchLength] = words.length
  return { source, batch: new Batch(new Memory(source, () => 0), HEADER) }
}

/** Notes what it is asked for; `meanwhile` runs in each of its functions. */
function recorder(meanwhile: () => void = () => {}): { actor: Actor; asked: unknown[][] } {
  const asked: unknown[][] = []
  const actor = new Proxy({} as Actor, {
    get: (_, name) => (...args: unknown[]) => {
      asked.push([name, ...args])
      meanwhile()
    },
  })
  return { actor, asked }
}

const EXPECTED = [
  ['accept', { slot: 1, generation: 7, route: 2, head: Buffer.from('HTTP/1.1 101'), name: 'name', subprotocol: 'chat', params: { id: '5' }, authData: { user: 'ann' } }],
  ['accept', { slot: 2, generation: 0, route: 0, head: Buffer.from('HTTP'), name: 'other', subprotocol: undefined, params: null, authData: undefined }],
  ['reject', 3, 1, Buffer.from('HTTP/1.1 404')],
  ['pause', 4, 0],
  ['resume', 4, 0],
  ['cancelCall', 2 * 2 ** 32 + 6],
  ['logged', 3, 'a line: ü'],
  ['readFile', 'feed', 'file.jsonl'],
  ['readFilePart', 4, 2 ** 32 + 7, 65536, 'a.jsonl'],
  ['appendFile', 'b.jsonl', Buffer.from('{}\n')],
  ['write', 1, 7, [Buffer.from('shared'), Buffer.alloc(5000, 9)]],
  ['write', 2, 0, Buffer.from('shared')],
  ['write', 5, 0, Buffer.from('shared')],
  ['end', 1, 7],
  ['reportUnsent', 1, 7],
  ['terminate', 2, 0],
  ['removed', 3, 1],
  ['dial', 3 * 2 ** 32 + 8, { url: 'ws://a' }],
  ['sendUpstream', 3 * 2 ** 32 + 8, 'text'],
  ['sendUpstream', 3 * 2 ** 32 + 8, Buffer.from([1, 2])],
  ['closeUpstream', 3 * 2 ** 32 + 8, 1001, 'bye'],
  ['closeUpstream', 9, undefined, ''],
]

const CALLS = [
  { call: 5, slot: 1, generation: 7, route: 2, hook: Hook.Close, payload: 'gone', about: undefined, code: 1001, detail: CloseCause.Client },
  { call: 3 * 2 ** 32 + 8, slot: 2, generation: 0, route: 0, hook: Hook.Connect, payload: undefined, about: undefined, code: 0, detail: 0 },
  { call: 7, slot: 1, generation: 7, route: 0, hook: Hook.ServerEvent, payload: 'hi', about: '"ann"', code: 0, detail: ServerEvent.Receive },
]

test('a batch as Rust packs it is read', () => {
  const { batch } = golden()
  const { actor, asked } = recorder()
  expect(batch.read(actor)).toEqual(CALLS)
  expect(asked).toEqual(EXPECTED)
})

test('the memory may grow in the middle of a batch', () => {
  const { batch, source } = golden()
  const { actor, asked } = recorder(() => source.detach())
  expect(batch.read(actor)).toEqual(CALLS)
  expect(asked).toEqual(EXPECTED)
})

test('what a batch gives away is its own', () => {
  const { batch, source } = golden()
  const { actor, asked } = recorder()
  batch.read(actor)
  Buffer.from(source.buffer).fill(0xff)
  expect(asked).toEqual(EXPECTED)
})

test('an unknown record is an error, not a guess', () => {
  const { batch, source } = golden()
  new Uint32Array(source.buffer)[WORDS / 4] = 99
  expect(() => batch.read(recorder().actor)).toThrow('unknown opcode 99')
})

test('payloads are copied to where the engine wants them, also after its memory has grown', () => {
  const source = new Source()
  const asked: number[] = []
  const memory = new Memory(source, (length) => {
    asked.push(length)
    source.detach()
    return 256
  })
  for (const payload of ['', 'a', 'ü€𝄞', '\ud800', Buffer.from([0, 255]), new Uint8Array(), 'x'.repeat(20_000)]) {
    const length = memory.put(payload)
    expect(Buffer.from(source.buffer, 256, length)).toEqual(Buffer.from(payload as string))
  }
  // Little is put where there was room for as much.
  const before = asked.length
  memory.put('a')
  expect(asked).toHaveLength(before)
  const head = memory.putRequest('GET /é', Buffer.from('body'))
  expect(Buffer.from(source.buffer, 256, head + 4).toString('latin1')).toBe('GET /ébody')
})

test('what is too large, or finds no memory, is a RangeError; what was detached is empty', () => {
  const memory = new Memory(new Source(), () => 0)
  expect(() => memory.put(new Uint8Array(MAX_MESSAGE + 1))).toThrow(new RangeError(`a message of ${MAX_MESSAGE + 1} bytes cannot be sent; the most is ${MAX_MESSAGE}`))
  expect(() => memory.put('a')).toThrow(RangeError)
  const bytes = new Uint8Array(4)
  structuredClone(bytes, { transfer: [bytes.buffer] })
  expect(new Memory(new Source(), () => 8).put(bytes)).toBe(0)
})

test('an alarm rings once, at the earliest time that it was set to', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  let rings = 0
  const alarm = new Alarm({ get monotonic() { return performance.now() }, isManual: false }, () => rings++, globalThis)
  alarm.set(undefined)
  alarm.set(performance.now() + 100)
  alarm.set(performance.now() + 50)
  alarm.set(performance.now() + 80)
  vi.advanceTimersByTime(49)
  expect(rings).toBe(0)
  vi.advanceTimersByTime(1)
  expect(rings).toBe(1)
  vi.advanceTimersByTime(1000)
  expect(rings).toBe(1)
  // A time that has passed is soon, one that no timer takes is later than that timer.
  alarm.set(performance.now() - 5)
  vi.advanceTimersByTime(1)
  expect(rings).toBe(2)
  alarm.set(performance.now() + 2 ** 40)
  vi.advanceTimersByTime(1000)
  expect(rings).toBe(2)
  alarm.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('requests share their texts, but for keys and what is long', () => {
  const strings = new Strings()
  const request = (): IncomingMessage =>
    ({ url: ['/ro', 'om'].join(''), rawHeaders: ['Sec-WebSocket-Key', ['ab', 'c'].join(''), 'X', 'y'.repeat(300)], rawTrailers: [] }) as unknown as IncomingMessage
  const [first, second] = [request(), request()]
  const before = { url: first.url, rawHeaders: [...first.rawHeaders] }
  strings.share(first)
  strings.share(second)
  expect({ url: first.url, rawHeaders: first.rawHeaders }).toEqual(before)
  expect({ url: second.url, rawHeaders: second.rawHeaders }).toEqual(before)
  // More than it remembers changes nothing either.
  for (let index = 0; index < 2000; index++) {
    const other = { url: `/${index}`, rawHeaders: [] } as unknown as IncomingMessage
    strings.share(other)
    expect(other.url).toBe(`/${index}`)
  }
})
