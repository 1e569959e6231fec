/** The dialect `commands`: functions that hear of its server's events, and users from `authenticate`. */

import { expect, test } from 'vitest'

import { connect } from './support/client.js'
import { serve, signal } from './support/server.js'

test('the log says at the start where every client may close the connections of others', async () => {
  const commands = { disconnect: 'everyone' as const }
  const { lines } = await serve([], { routes: [{ pattern: '/open', dialect: 'commands', commands }] })
  await expect.poll(() => lines.join('\n')).toContain('/open: every client may close the connections of others')
})

test('every event of the server is told', async () => {
  const told: unknown[] = []
  const gone = signal()
  const server = await serve([], {
    routes: [
      {
        pattern: '/',
        dialect: 'commands',
        authenticate: () => ({ success: true, data: { name: 'Ada', email: 'ada@example.com' } }),
        commands: {
          on: {
            start: () => void told.push('start'),
            connect: ({ name, email }) => void told.push(['connect', name, email]),
            receive: (_, message) => {
              told.push(['receive', message])
              if (message === 'crash') throw new Error('broken')
            },
            send: (message) => void told.push(['send', JSON.parse(message).type ?? JSON.parse(message).message]),
            crash: ({ message }) => void told.push(['crash', message]),
            disconnect: () => {
              told.push('disconnect')
              gone.resolve()
            },
          },
        },
      },
    ],
  })
  const client = await connect(server.url('/'))
  const { users } = await client.json()
  expect(users).toEqual([{ id: users[0].id, name: 'Ada', email: 'ada@example.com', connected_at: expect.any(Number) }])
  client.send('crash')
  expect(await client.json()).toEqual({ client_id: users[0].id, message: 'crash' })
  client.send('after')
  expect(await client.json()).toEqual({ client_id: users[0].id, message: 'after' })
  await client.close()
  await gone.promise
  expect(told.slice(0, 4)).toEqual(['start', ['connect', 'Ada', 'ada@example.com'], ['send', 'presence'], ['receive', 'crash']])
  expect(told).toContainEqual(['crash', 'broken'])
  expect(told).toContainEqual(['send', 'after'])
})

test('an event that there is not is named', async () => {
  const unanswered = { events: ['receive'] } as object
  await expect(serve([], { routes: [{ pattern: '/', dialect: 'commands', commands: unanswered }] })).rejects.toThrow(
    'routes[0].commands.events[0]: there is no callback for the event "receive"',
  )
  const commands = { on: { conect: () => {} } } as object
  await expect(serve([], { routes: [{ pattern: '/', dialect: 'commands', commands }] })).rejects.toThrow(
    'routes[0].commands.on.conect: there is no such event; there are start, connect, disconnect, receive, send, crash',
  )
})
