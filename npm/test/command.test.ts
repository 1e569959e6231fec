/** The program `switchboard`: on Node it says and does what the native one does. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get as getSecurely } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { certificate } from './support/certificate.js'
import { connect, refusal } from './support/client.js'
import { COMMAND, finish, NATIVE, Program, PROGRAMS } from './support/command.js'
import { folder } from './support/server.js'

const ROUTES = `
[[routes]]
pattern = '/chat'
rules = [{ do = [{ reply = 'old' }] }]
[[routes]]
pattern = '/gone'
dialect = 'echo'
`

/** A folder with these files. */
function files(contents: Record<string, string>): string {
  const cwd = folder()
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(cwd, name), text)
  return cwd
}

const RECORDING = `{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.000Z","source":"wss://example.com/feed"}
{"at":0,"connection":1,"type":"open","path":"/feed?token=opensesame","headers":[],"status":101}
{"at":12.5,"connection":1,"type":"message","from":"client","json":{"password":"opensesame"}}
{"at":14,"connection":1,"type":"message","from":"server","text":"two\\nlines"}
{"at":55,"connection":1,"type":"close","by":"client","code":1000,"reason":"bye"}
`

const FILES = {
  'good.toml': ROUTES,
  'misspelt.toml': "[[routes]]\npattern = '/ws'\nheartbaet = 30000",
  'broken.toml': '[[routes]\npattern = 1',
  'handlers.json': '{"routes":[{"pattern":"/ws"}]}',
  'twice.json': '{"routes":[{"pattern":"/ws","dialect":"echo"},{"pattern":"/ws","dialect":"relay"}]}',
  'empty.json': '{}',
  'variable.toml': "[[routes]]\npattern = '/p'\nproxy = { url = 'ws://${SWITCHBOARD_NOWHERE}/' }",
  'tls.toml': "[listen.tls]\ncert = 'no.pem'\nkey = 'no.key'",
  'session.jsonl': RECORDING,
  'torn.jsonl': RECORDING.slice(0, -20),
  'wrong.jsonl': RECORDING.replace('"by":"client"', '"by":"browser"'),
  'no.har': '{"log":{"entries":[]}}',
}

/** What ends by itself: the words, and what is to be seen on any host. */
const ENDING: [words: string, code: number, expected: string][] = [
  ['--help', 0, 'Usage: switchboard [OPTIONS]\n       switchboard <COMMAND>'],
  ['-h', 0, 'Print help (see more with'],
  ['--version', 0, 'switchboard 0.'],
  ['help', 0, 'Commands:'],
  ['help record', 0, 'Usage: switchboard record'],
  ['help nothing', 2, "unrecognized subcommand 'nothing'"],
  ...['serve', 'record', 'replay', 'convert', 'asyncapi'].flatMap((command): [string, number, string][] => [
    [`${command} --help`, 0, `Usage: switchboard ${command}`],
    [`${command} -h`, 0, `Usage: switchboard ${command}`],
    [`${command} --nonsense`, 2, "error: unexpected argument '--nonsense' found"],
  ]),
  ['serv', 2, "a similar subcommand exists: 'serve'"],
  ['--prot 1', 2, "a similar argument exists: '--port'"],
  ['serve --conf x', 2, "a similar argument exists: '--config'"],
  ['record --lisen 3', 2, "a similar argument exists: '--listen'"],
  ['-x', 2, "unexpected argument '-x'"],
  ['--port', 2, "a value is required for '--port <PORT>'"],
  ['--port abc', 2, 'invalid digit found in string'],
  ['--port 70000', 2, '70000 is not in 0..=65535'],
  ['--port=', 2, 'cannot parse integer from empty string'],
  ['--port 1 --port 2', 2, 'cannot be used multiple times'],
  ['--control=3', 2, "unexpected value '3' for '--control'"],
  ['--watch', 2, '  --config <FILE>'],
  ['serve --control-reveal', 2, '  --control'],
  ['record', 2, '  --out <FILE>\n  <URL>'],
  ['record --listen 4 ws://a', 2, '  --out <FILE>'],
  ['replay', 2, '  <FILE>'],
  ['convert a b --mask x --reveal', 2, "'--mask <PATTERN>' cannot be used with '--reveal'"],
  ['convert a b --reveal --mask x', 2, "'--reveal' cannot be used with '--mask <PATTERN>'"],
  ['convert a b c', 2, "unexpected argument 'c'"],
  ['--check', 0, 'the built-in configuration: nothing is wrong; 16 endpoints\n'],
  ['serve --check --config good.toml', 0, 'good.toml: nothing is wrong; 2 endpoints\n'],
  ['--check --config empty.json', 0, 'empty.json: nothing is wrong; 0 endpoints\n'],
  ['--check --config twice.json', 0, 'twice.json: nothing is wrong; 1 endpoint\n'],
  ['--config nowhere/at/all.toml', 2, 'error: nowhere/at/all.toml: cannot be read: No such file or directory'],
  ['--config misspelt.toml', 2, 'error: misspelt.toml: routes[0].heartbaet: unknown key; did you mean "heartbeat"?\n'],
  ['--check -c broken.toml', 2, 'error: broken.toml: not TOML: line 1, column'],
  ['--check -c handlers.json', 2, 'error: handlers.json: the route /ws has the dialect "handlers" and no handler'],
  ['--check -c variable.toml', 2, 'error: variable.toml: routes[0].proxy.url'],
  ['--check -c tls.toml', 2, 'error: tls.toml: listen.tls: no.pem cannot be read: No such file or directory'],
  ['record localhost:4004 --out never.jsonl', 2, 'error: localhost:4004: '],
  ['record https://example.com --out never.jsonl', 2, 'error: https://example.com: '],
  ['record ws://example.com/{a} --out never.jsonl', 2, 'cannot be recorded'],
  ['replay nowhere.jsonl', 2, 'error: nowhere.jsonl: cannot be read: No such file or directory'],
  ['replay session.jsonl --match most', 2, 'replay.match: '],
  ['asyncapi --config good.toml --title Mine', 0, '"title": "Mine"'],
  ['asyncapi', 0, '"asyncapi": "3.0.0"'],
  ['asyncapi --config misspelt.toml', 2, 'error: misspelt.toml: routes[0].heartbaet'],
  ['convert session.jsonl out.har', 0, 'out.har: connections: 1, messages: 2\n'],
  ['convert torn.jsonl out.jsonl', 0, 'line 5 of torn.jsonl was torn and is left out'],
  ['convert wrong.jsonl out.jsonl', 2, 'error: wrong.jsonl: line 5: by: expected'],
  ['convert no.har out.jsonl', 2, 'error: no.har: '],
  ['convert nowhere.har out.jsonl', 2, 'error: nowhere.har: cannot be read: No such file or directory'],
  ['convert session.jsonl out.txt', 2, 'expected a name that ends in .jsonl or .har'],
  ['convert session.txt out.har', 2, 'expected a name that ends in .jsonl, .har, .zip or .zhar'],
  ['convert session.jsonl nowhere/out.har', 2, 'cannot be written: No such file or directory'],
]

test.for(ENDING)('switchboard %s', async ([words, code, expected]) => {
  const ended = await Promise.all(PROGRAMS.map(([, binary]) => finish(binary, words.split(' '), { cwd: files(FILES) })))
  const [first, native] = ended as [(typeof ended)[0], (typeof ended)[0]?]
  expect(first.stdout + first.stderr).toContain(expected)
  expect(first.code).toBe(code)
  if (native) expect(first).toEqual(native)
})

test.runIf(NATIVE === undefined)('the native program is not built, so that its half of these tests did not run', ({ skip }) => skip())

test('what is converted is the same on every host', async () => {
  const outputs = []
  for (const [, binary] of PROGRAMS) {
    const cwd = files(FILES)
    await finish(binary, ['convert', 'session.jsonl', 'there.har', '--mask', 'lines'], { cwd })
    await finish(binary, ['convert', 'there.har', 'back.jsonl', '--reveal'], { cwd })
    outputs.push([readFileSync(join(cwd, 'there.har'), 'utf8'), readFileSync(join(cwd, 'back.jsonl'), 'utf8')])
  }
  const [[har, lines], native] = outputs as [string[], string[]?]
  expect(har).not.toContain('opensesame')
  expect(lines).toContain('"two\\n***"')
  if (native) expect([har, lines]).toEqual(native)
})

test('the same is listed on every host', { timeout: 60_000 }, async () => {
  const tables = []
  for (const words of [['--port', '0'], ['--port', '0', '--control'], ['serve', '--port', '0', '--config', 'good.toml'], ['-p0', '-c', 'empty.json']]) {
    const listed = []
    for (const [, binary] of PROGRAMS) {
      const program = new Program(binary, words, { cwd: files(FILES), env: { SWITCHBOARD_CONTROL_TOKEN: 'a token' } })
      const address = await program.address()
      listed.push(program.stdout.replaceAll(address, 'ADDRESS'))
    }
    const [first, native] = listed
    expect(first).toContain('listens on http://ADDRESS\n')
    if (native) expect(first).toBe(native)
    tables.push(first)
  }
  expect(tables[0]).toContain('  ws://ADDRESS/echo')
  expect(tables[1]).toContain('http://ADDRESS/__switchboard/#token=a%20token')
  expect(tables[3]).toContain('no endpoints: the configuration has no routes')
})

/** Status, the headers that matter, and body. */
async function fetched(url: string, headers: Record<string, string> = {}): Promise<[number, string | null, string | null, string]> {
  const response = await fetch(url, { headers, redirect: 'manual' })
  return [response.status, response.headers.get('content-type'), response.headers.get('location'), await response.text()]
}

describe.each(PROGRAMS)('%s', (_, binary) => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s closes all connections with 1001, and the program ends well', async (signal) => {
    const program = new Program(binary, ['--port', '0'])
    const client = await connect(`ws://${await program.address()}/echo?token=secret`)
    client.send('hello')
    expect(await client.next()).toBe('hello')
    program.child.kill(signal)
    expect(await client.ended).toEqual({ code: 1001, reason: 'Server shutting down' })
    const { code, stderr } = await program.ended()
    expect(code).toBe(0)
    expect(stderr).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z  INFO closing all connections; once more to stop at once\n.*Z  INFO stopped\n$/)
  })

  test('a second signal ends it at once', async () => {
    const program = new Program(binary, ['--port', '0'])
    const client = await connect(`ws://${await program.address()}/echo`)
    // It answers no close frame, so the server would wait for it.
    client.socket.pause()
    program.child.kill('SIGTERM')
    await program.prints(/closing all connections/, 'stderr')
    // What comes right after the first counts as the same.
    const timer = setInterval(() => program.child.kill('SIGTERM'), 100)
    const { code } = await program.ended()
    clearInterval(timer)
    expect(code).toBe(143)
  })

  test.skipIf(process.platform === 'win32')('Ctrl-C reaches a whole process group, and counts once', async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'a.toml'), "shutdownGrace = 1000\n[[routes]]\npattern = '/echo'\ndialect = 'echo'")
    const program = new Program(binary, ['--config', 'a.toml', '--port', '0'], { cwd, isGroup: true })
    const client = await connect(`ws://${await program.address()}/echo`)
    // It answers no close frame, so the server waits for it.
    client.socket.pause()
    process.kill(-program.child.pid!, 'SIGINT')
    const { code, stderr } = await program.ended()
    expect(code).toBe(0)
    expect(stderr.match(/closing all connections/g)).toHaveLength(1)
  })

  test.skipIf(process.platform === 'win32')('SIGTERM that only npx gets ends the server', async () => {
    const cwd = folder()
    mkdirSync(join(cwd, 'node_modules/.bin'), { recursive: true })
    writeFileSync(join(cwd, 'node_modules/.bin/switchboard'), `#!/bin/sh\nexec "${process.execPath}" "${COMMAND}" "$@"\n`, { mode: 0o755 })
    const command = ['npx', '--offline', '--no', 'switchboard']
    const program = new Program(binary, ['serve', '--port', '0'], { cwd, command, isGroup: true })
    const client = await connect(`ws://${await program.address()}/echo`)
    program.child.kill('SIGTERM')
    expect(await client.ended).toEqual({ code: 1001, reason: 'Server shutting down' })
    const { stderr } = await program.ended()
    expect(stderr).toMatch(/INFO closing all connections; once more to stop at once\n.*Z  INFO stopped\n$/)
  })

  test('pages and plain requests', async () => {
    const program = new Program(binary, ['--port', '0'])
    const url = `http://${await program.address()}`
    expect(await fetched(`${url}/`)).toEqual([302, expect.any(String), '/__switchboard/', ''])
    const [status, type, , page] = await fetched(`${url}/__switchboard/`)
    expect([status, type, page.endsWith('</html>\n')]).toEqual([200, 'text/html; charset=utf-8', true])
    const inventory = JSON.parse((await fetched(`${url}/__switchboard/start.json`))[3]) as { endpoints: { pattern: string; example: string }[]; token?: string }
    expect(inventory.token).toBe(undefined)
    expect(inventory.endpoints.find(({ pattern }) => pattern === '/socket/websocket')?.example).toBe('/socket/websocket?vsn=2.0.0')
    expect(JSON.parse((await fetched(`${url}/health`))[3])).toMatchObject({ status: 'ok', connections: 0, uptimeSeconds: expect.any(Number) })
    expect((await fetched(`${url}/__switchboard/start.json`, { 'sec-fetch-site': 'cross-site' }))[0]).toBe(403)
    expect(await fetched(`${url}/nowhere`)).toEqual([404, 'text/plain; charset=utf-8', null, 'there is nothing here'])
    expect((await fetched(`${url}/echo`))[0]).toBe(426)
    expect(await refusal(`${url.replace('http', 'ws')}/nowhere`)).toBe(404)
    const posted = await fetch(`${url}/feeds/killmails`, { method: 'POST', body: '{"system_id":1}' })
    expect(posted.ok).toBe(true)
  })

  test('the control API, with the token of the environment', async () => {
    const env = { SWITCHBOARD_CONTROL_TOKEN: 'a long token' }
    const program = new Program(binary, ['--port', '0', '--control'], { env })
    const url = `http://${await program.address()}/__switchboard/api/v1/connections`
    expect((await fetched(url))[0]).toBe(401)
    expect((await fetched(url, { authorization: 'Bearer a long token' }))[0]).toBe(200)
  })

  test('variables and .env files add mock events, at the port of the Mock API Server', async () => {
    const cwd = files({ '.env': 'WEBSOCKET_ENABLED=true\nWEBSOCKET_MOCK_EVENTS=[{"name":"mine","data":{"n":1}}]' })
    const program = new Program(binary, ['--port', '0'], { cwd, env: { AUTH_ENABLED: 'true', WEBSOCKET_AUTH_TOKENS: 's3cret' } })
    const url = `ws://${await program.address()}/ws`
    expect(await refusal(url)).toBe(401)
    const client = await connect(`${url}?token=s3cret`)
    expect(await client.json()).toMatchObject({ type: 'connected' })
    client.send({ type: 'request', event: 'mine' })
    expect((await client.json()).data).toEqual({ n: 1 })
    const { code, stderr } = await finish(binary, [], { cwd, env: { AUTH_ENABLED: 'true' } })
    expect([code, stderr]).toEqual([2, expect.stringContaining('error: the environment: AUTH_ENABLED: ')])
  })

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    const { code, stderr } = await finish(binary, ['--port', String(port)])
    other.close()
    expect([code, stderr]).toEqual([
      1,
      `error: cannot listen on 127.0.0.1:${port}: Address already in use (os error 98)\n` +
        'Another program listens there. Stop it, or choose with --port (0 takes a free one).\n',
    ])
  })

  test.skipIf(process.platform === 'win32')('SIGHUP and a changed file reload, and a mistake changes nothing', async () => {
    const cwd = files(FILES)
    const program = new Program(binary, ['--port', '0', '--config', 'good.toml', '--watch'], { cwd })
    const url = `ws://${await program.address()}`
    const chat = await connect(`${url}/chat`)
    const gone = await connect(`${url}/gone`)
    const answers = async (expected: string): Promise<void> => {
      chat.send('hi')
      expect(await chat.next()).toBe(expected)
    }
    await answers('old')
    writeFileSync(join(cwd, 'good.toml'), "[[routes]]\npattern = '/chat'\nrules = [{ do = [{ reply = 'new' }] }]")
    await program.prints(/ INFO reloaded good\.toml: 1 route changed, 1 removed; 1 connection kept, 1 closed\n/, 'stderr')
    expect(await gone.ended).toEqual({ code: 1012, reason: 'The route was removed' })
    await answers('new')
    writeFileSync(join(cwd, 'good.toml'), "[[routes]]\npattern = '/chat'\nheartbaet = 1")
    await program.prints(/ERROR good\.toml: routes\[0\]\.heartbaet: unknown key; did you mean "heartbeat"\?; the configuration before serves on\n/, 'stderr')
    await answers('new')
    writeFileSync(join(cwd, 'good.toml'), `listen.port = 4999\n${ROUTES}`)
    program.child.kill('SIGHUP')
    await program.prints(/reloaded good\.toml: 1 route changed, 1 added; 1 connection kept\n/, 'stderr')
    await answers('old')
  })

  test('TLS', async () => {
    const { cert, key } = certificate
    const cwd = files({ 'a.pem': cert, 'a.key': key, 'tls.toml': "listen.tls = { cert = 'a.pem', key = 'a.key' }\n[[routes]]\npattern = '/echo'\ndialect = 'echo'" })
    const program = new Program(binary, ['--port', '0', '--config', 'tls.toml'], { cwd })
    const address = await program.address()
    expect(program.stdout).toContain(`listens on https://${address}\n\n  wss://${address}/echo`)
    const client = await connect(`wss://${address}/echo`, { rejectUnauthorized: false })
    client.send('hello')
    expect(await client.next()).toBe('hello')
    const status = await new Promise((resolve) => getSecurely(`https://${address}/health`, { rejectUnauthorized: false }, ({ statusCode }) => resolve(statusCode)))
    expect(status).toBe(200)
  })

  test('what is recorded is replayed', async () => {
    const cwd = folder()
    const target = new Program(binary, ['--port', '0'])
    const recorder = new Program(binary, ['record', `ws://${await target.address()}/echo`, '--listen', '0', '--out', 'session.jsonl'], { cwd })
    const client = await connect(`ws://${await recorder.address()}/echo`)
    client.send('once')
    expect(await client.next()).toBe('once')
    await client.close()
    recorder.child.kill('SIGTERM')
    expect((await recorder.ended()).code).toBe(0)
    expect(readFileSync(join(cwd, 'session.jsonl'), 'utf8')).toContain('"text":"once"')
    const player = new Program(binary, ['replay', 'session.jsonl', '--listen', '0', '--speed', 'instant'], { cwd })
    const again = await connect(`ws://${await player.address()}/echo`)
    again.send('once')
    expect(await again.next()).toBe('once')
  })

  test('DEBUG shows connections and messages but no secret', async () => {
    const program = new Program(binary, ['--port', '0'], { env: { DEBUG: 'switchboard' } })
    const client = await connect(`ws://${await program.address()}/echo?token=t0p`)
    client.send('hello')
    expect(await client.next()).toBe('hello')
    await program.prints(/DEBUG .*connects from 127\.0\.0\.1/, 'stderr')
    await program.prints(/DEBUG .*→ text, 5 bytes: hello/, 'stderr')
    expect(program.stderr).not.toContain('t0p')
  })
})
