/** Contracts of routes: schemas in options and in files, and what tests hear of messages that break them. */

import { expect, test } from 'vitest'
import { serve } from 'vite-plugin-switchboard/testing'

import { connect } from './support/client.js'
import { configuration, Project, versions } from './support/project.js'

const number = { properties: { n: { type: 'number' } }, required: ['n'] }

test('a refused message goes to onError, and one that must not be sent is not', async () => {
  const errors: string[] = []
  await using server = await serve({
    pattern: '/feed',
    contract: { mode: 'refuse', receives: number, sends: number },
    onMessage: (connection, message) => {
      connection.send({ n: 'not a number' })
      connection.send(message)
    },
    onError: (connection, error) => {
      errors.push(error.message)
      connection.close(4000, 'mind the contract')
    },
  })
  const client = await connect(server.url('/feed'))
  client.send({ n: 1 })
  expect(await client.json()).toEqual({ n: 1 })
  client.send({ n: '1' })
  expect(await client.ended).toEqual({ code: 4000, reason: 'mind the contract' })
  expect(errors).toEqual(['the message breaks the contract: n: expected a number, got text'])
  expect(server.switchboard.stats().contractViolations).toEqual({ '/feed': 2 })
  expect(server.log.join('\n')).toMatch(/^error.* \/feed does not send a message that breaks its contract: n: expected a number, got text$/m)
})

test('a test fails with it', async () => {
  await using server = await serve({ pattern: '/echo', dialect: 'echo', contract: { receives: number } })
  const client = await connect(server.url('/echo'))
  client.send({ n: 1 })
  await client.next()
  await server.verify({ leftovers: true })
  client.send({})
  expect(await client.json()).toEqual({})
  await expect(server.verify({ leftovers: true })).rejects.toThrow(
    '1 message broke the contract of /echo:\n  1. /echo received a message that breaks its contract: the key "n" is missing',
  )
  await server.verify({ leftovers: true, violations: true })
  await server.reset()
  await server.verify()
})

test.each(versions)('Vite %s takes a schema from a file, also when it is edited', async (_, vite) => {
  const project = new Project()
  const schema = (type: string): string => `properties:\n  n: { type: ${type} }\n`
  const route = `{ pattern: '/echo', dialect: 'echo', contract: { mode: 'refuse', receives: 'schemas/message.yaml' } }`
  project.write('vite.config.mjs', configuration(`{ routes: [${route}], config: 'switchboard.toml' }`))
  project.write('switchboard.toml', '[[routes]]\npattern = "/other"\ndialect = "echo"\ncontract = { mode = "refuse", sends = "schemas/other.json" }\n')
  project.write('schemas/message.yaml', schema('number'))
  project.write('schemas/other.json', '{ "const": 5 }')
  await project.start(vite)
  const client = await connect(project.url('/echo'))
  client.send({ n: 'text' })
  expect(await client.json()).toMatchObject({ type: 'error', message: expect.stringContaining('n: expected a number, got text') })
  const other = await connect(project.url('/other'))
  other.send('6')
  other.send('5')
  expect(await other.next()).toBe('5')

  await project.save('schemas/message.yaml', schema('string'))
  await project.logged('reloaded schemas/message.yaml: 1 route changed; 2 connections kept')
  client.send({ n: 'text' })
  expect(await client.json()).toEqual({ n: 'text' })

  await project.save('schemas/message.yaml', schema('strnig'))
  await project.logged('schemas/message.yaml: properties.n.type: expected null, boolean, integer, number, string, array, object; did you mean "string"?')
  client.send({ n: 'text' })
  expect(await client.json()).toEqual({ n: 'text' })
})

test('mistakes in a contract and its files are named', async () => {
  const route = (contract: unknown): any => ({ pattern: '/echo', dialect: 'echo', contract })
  await expect(serve(route({ receive: {} }))).rejects.toThrow('contract.receive: unknown key; did you mean "receives"?')
  await expect(serve(route({ sends: { pattern: '(?=x)' } }))).rejects.toThrow('contract.sends.pattern: the regular expression "(?=x)" cannot be used')
  await expect(serve(route({ sends: 'nowhere.json' }))).rejects.toThrow(/contract\.sends: .*nowhere\.json: ENOENT/)
})

test.each(versions)('Vite %s serves an AsyncAPI document, also when it is edited', async (_, vite) => {
  const project = new Project()
  const document = (price: number): string => `
asyncapi: 3.0.0
channels:
  prices:
    address: /prices/{symbol}
    messages:
      ask: { payload: { const: ask } }
      price: { payload: { type: number }, examples: [{ payload: ${price} }] }
operations:
  ask:
    action: receive
    channel: { $ref: '#/channels/prices' }
    messages: [{ $ref: '#/channels/prices/messages/ask' }]
    reply: { messages: [{ $ref: '#/channels/prices/messages/price' }] }
`
  // A handler of the user's comes first, and keeps its callbacks.
  const own = "{ pattern: '/own', onMessage: (connection) => connection.send('own') }"
  project.write('vite.config.mjs', configuration(`{ wsHandlers: [${own}], asyncapi: { file: 'prices.yaml', mode: 'refuse' }, config: 'switchboard.toml' }`))
  project.write('switchboard.toml', '[[routes]]\npattern = "/last"\ndialect = "echo"\n')
  project.write('prices.yaml', document(1.5))
  await project.start(vite)
  const client = await connect(project.url('/prices/x'))
  client.send('ask')
  expect(await client.next()).toBe('1.5')
  client.send('tell')
  expect(await client.json()).toMatchObject({ type: 'error', message: expect.stringContaining('expected "ask", got "tell"') })
  await project.save('prices.yaml', document(2))
  await project.logged('reloaded prices.yaml: 1 route changed; 1 connection kept')
  client.send('ask')
  expect(await client.next()).toBe('2')
  for (const [path, answer] of [['/api/own', 'own'], ['/last', 'hello']] as const) {
    const other = await connect(project.url(path))
    other.send('hello')
    expect(await other.next()).toBe(answer)
  }
  await project.save('prices.yaml', document(2).replace('address: /prices', 'address: [/prices'))
  await project.logged('asyncapi: ')
  client.send('ask')
  expect(await client.next()).toBe('2')
})
