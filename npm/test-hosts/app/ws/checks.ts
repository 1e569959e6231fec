// Each check gives what both hosts have to give alike.

import { defineHandler, InvalidMessageError, type WebSocketConnection } from 'vite-plugin-switchboard'
import { shared } from './_shared'

type Check = (conn: WebSocketConnection, wait: (ms: number) => Promise<void>) => unknown

/** What is thrown or rejected, as text. */
async function thrown(run: () => unknown): Promise<string> {
  try {
    return `no error, but ${JSON.stringify(await run())}`
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

/** The name alone, where engines word their messages differently. */
const thrownName = async (run: () => unknown): Promise<string> => (await thrown(run)).split(':')[0]!

const any = (value: unknown): any => value

const checks: Record<string, Check> = {
  'what conn is': ({ id, path, authData, subprotocol, closed, metadata, req }) => [
    id.length, path, authData, subprotocol, closed, metadata, req.url, req.method, req.params, req.headers.host?.split(':')[0],
    req.headers['x-two'], req.headers.upgrade, typeof req.socket.remoteAddress,
  ],
  'conn as JSON': (conn) => ({ ...JSON.parse(JSON.stringify(conn)), id: '' }),
  'rooms': (conn) => {
    conn.joinRoom('a')
    conn.rooms.add('b').add('c')
    conn.rooms.delete('a')
    const { rooms } = conn
    return [
      [...rooms], rooms.size, rooms.has('b'), rooms instanceof Set, conn.getRooms(), conn.isInRoom('c'), conn.isInRoom('a'),
      [...rooms.entries()], [...rooms.keys()], conn.leaveRoom('b'), [...conn.rooms], conn.rooms.clear(), conn.getRooms(),
    ]
  },
  'wrong arguments': async (conn) => [
    await thrown(() => conn.joinRoom(any({}))), await thrown(() => conn.joinRoom(any(null))), await thrown(() => conn.broadcast(1, any('lobby'))),
    await thrown(() => conn.broadcast(1, { includeSelf: any('yes') })), await thrown(() => conn.broadcast(1, { rooms: any(5) })),
    await thrown(() => conn.broadcast(1, { room: any({}) })), await thrown(() => conn.ping('x'.repeat(126))), await thrown(() => conn.ping(any({}))),
    await thrown(() => conn.startHeartbeat(-1)), await thrown(() => conn.startInactivityTimeout(any('1s'))),
    await thrown(() => conn.close(1005)), await thrown(() => conn.close(any('1000'))), await thrown(() => conn.close(1000, any(5))),
    await thrown(() => conn.close(99_999)), await thrown(() => conn.broadcastAllRooms(1, any([]))), await thrown(() => conn.faults.add(any(undefined))),
    await thrown(() => conn.faults.add(any({ on: 'nothing' }))), await thrown(() => any(defineHandler)(5)), await thrown(() => conn.joinRoom('x'.repeat(2000))),
  ],
  'faults': (conn) => {
    const handle = conn.faults.add([{ on: 'receive', latency: 1 }])
    return [handle.remove(), handle.remove()]
  },
  'what cannot be sent': async (conn) => [await thrownName(() => conn.send(any(1n))), await conn.send(undefined), await conn.send(any(() => 1))],
  'a circle cannot be sent': async (conn) => {
    const circle: Record<string, unknown> = {}
    circle.circle = circle
    return thrownName(() => conn.send(circle))
  },
  'timers': async (_, wait) => {
    const order: unknown[] = []
    setTimeout((...values: unknown[]) => order.push(values), 20, 'late', 1)
    setTimeout(() => order.push('soon'), 1)
    clearTimeout(setTimeout(() => order.push('never'), 5))
    const every = setInterval(() => order.push('every') > 3 && clearInterval(every), 5)
    queueMicrotask(() => order.push('microtask'))
    Promise.resolve().then(() => order.push('promise'))
    order.push('now')
    await wait(100)
    return [order.slice(0, 4), order.filter((one) => one === 'every').length, order.some((one) => Array.isArray(one)), order.includes('never')]
  },
  'URL': () => {
    const url = new URL('../b?x=1&y=a%20b#h', 'https://user:pass@Example.com:8443/a/c')
    url.searchParams.append('z', 'ü &')
    url.pathname = '/p q'
    url.port = '443'
    url.hash = ''
    return [
      url.href, url.host, url.origin, url.username, [...url.searchParams], url.searchParams.get('y'), String(url), JSON.stringify({ url }),
      URL.canParse('no'), new URLSearchParams({ a: '1', b: '2' }).toString(), new URLSearchParams('?a=1&a=2').getAll('a'),
      new URLSearchParams([['a', '1']]).has('a'),
    ]
  },
  'a wrong URL': () => thrownName(() => new URL('no')),
  'text': () => {
    const decoder = new TextDecoder()
    const bytes = new TextEncoder().encode('aé€😀\ud800')
    return [
      Array.from(bytes), decoder.decode(bytes), decoder.decode(new Uint8Array([0xef, 0xbb, 0xbf, 97])), decoder.decode(bytes.buffer),
      decoder.decode(bytes.subarray(0, 2), { stream: true }), decoder.decode(bytes.subarray(2, 6)), new TextEncoder().encodeInto('é€', new Uint8Array(4)),
      btoa('aü'), atob('YQ=='),
    ]
  },
  'broken text': () => [thrownName(() => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255]))), new TextDecoder().decode(new Uint8Array([255, 97]))],
  'structuredClone': async () => {
    const from = { a: [1, { b: new Date(0) }], m: new Map<unknown, unknown>([['k', new Set([1])]]), u: undefined, e: new RangeError('e'), bytes: new Uint8Array([1, 2]) }
    any(from).self = from
    const to = structuredClone(from) as typeof from & { self: unknown }
    return [
      to.self === to, to !== from, to.m.get('k') instanceof Set, any(to.a[1]).b.getTime(), 'u' in to, to.e instanceof RangeError, to.e.message,
      Array.from(to.bytes), await thrownName(() => structuredClone(() => 1)), await thrownName(() => structuredClone({ s: Symbol('s') })),
    ]
  },
  'crypto': () => {
    const array = crypto.getRandomValues(new Uint8Array(32))
    return [/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()), array.some((byte) => byte > 0), crypto.randomUUID() === crypto.randomUUID()]
  },
  'Buffer': () => {
    const buffer = Buffer.from('héllo')
    const numbers = Buffer.alloc(8)
    numbers.writeUInt16BE(0x0102, 0)
    numbers.writeInt32LE(-2, 2)
    return [
      buffer.toString(), buffer.toString('hex'), buffer.toString('base64'), buffer.length, Buffer.isBuffer(buffer), buffer instanceof Uint8Array,
      Buffer.concat([buffer, Buffer.from([1, 2])]).toString('base64url'), Buffer.from('aGk=', 'base64').toString(), Buffer.from('6869', 'hex').toString('latin1'),
      JSON.stringify(Buffer.from([1])), buffer.equals(Buffer.from('héllo')), buffer.subarray(1, 3).toString(), Buffer.byteLength('é'), Array.from(numbers),
      numbers.readInt32LE(2), numbers.readUInt16BE(), buffer.indexOf('l'), Buffer.compare(Buffer.from('a'), Buffer.from('b')), `${buffer.slice(0, 1)}`,
    ]
  },
  'AbortController': async () => {
    const controller = new AbortController()
    const seen: unknown[] = []
    controller.signal.addEventListener('abort', () => seen.push('abort'))
    controller.abort()
    return [controller.signal.aborted, seen, any(controller.signal.reason).name, await thrownName(() => controller.signal.throwIfAborted())]
  },
  'performance and Date': async (_, wait) => {
    const [then, date] = [performance.now(), Date.now()]
    await wait(20)
    return [performance.now() - then >= 15, Date.now() - date >= 15, Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000]
  },
  'where a module is': () => [new URL('./data.json?x', import.meta.url).href, new URL('..', shared.url).href, import.meta.filename, import.meta.dirname],
  'modules': () => [shared.is, typeof InvalidMessageError, typeof globalThis, new Error('m') instanceof Error, [1, [2, [3]]].flat(2), Object.hasOwn({ a: 1 }, 'a')],
  'language': async () => {
    class Base { static #count = 0; #own = ++Base.#count; get own(): number { return this.#own } }
    const text = `${new Base().own}${new Base().own}`
    async function* numbers(): AsyncGenerator<number> { yield 1; yield* [2, 3] }
    const all: number[] = []
    for await (const number of numbers()) all.push(number)
    return [text, all, 'a-b-c'.replaceAll('-', '+'), /(?<year>\d{4})/u.exec('in 2026')?.groups?.year, [3, 1, 2].toSorted(), [1, 2].at(-1), 2n ** 64n > 0n, await Promise.allSettled([1, Promise.reject(2)]), Object.fromEntries(new Map([['a', 1]])), new Set([1, 2]).size]
  },
  'metadata': (conn) => {
    conn.metadata.n = (conn.metadata.n ?? 0) + 1
    return [conn.metadata, conn.metadata === conn.metadata]
  },
}

export default defineHandler({
  subprotocols: ['v1', 'v2'],
  async onMessage(conn, { check }: { check: string }) {
    if (check === 'list') return conn.send(Object.keys(checks))
    const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
    const result = await checks[check]!(conn, wait)
    const resolved = Array.isArray(result) ? await Promise.all(result) : result
    await conn.send({ check, result: resolved })
  },
})
