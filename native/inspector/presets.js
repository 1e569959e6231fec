// What one says in which dialect: fields to fill in, messages made of them, and what keeps a connection alive.

const object = (value) => JSON.stringify(value)
const numbers = (text) => text.split(/[\s,]+/).filter(Boolean).map(Number)

let reference = 0
/** Phoenix wants a new one in each message. */
const ref = () => String(++reference)

const guest = () => {
  const name = sessionStorage.getItem('name') ?? `guest-${Math.random().toString(36).slice(2, 6)}`
  sessionStorage.setItem('name', name)
  return name
}

const lobby = 'killmails:lobby'

/** By dialect. A preset turns the fields' values into a message. */
const dialects = {
  phoenix: {
    fields: { systems: '30000142, 30002187', characters: '' },
    presets: {
      Join: ({ systems, characters }) =>
        object(['1', ref(), lobby, 'phx_join', { systems: numbers(systems), characters: numbers(characters) }]),
      'Subscribe systems': ({ systems }) =>
        object(['1', ref(), lobby, 'subscribe_systems', { systems: numbers(systems) }]),
      'Unsubscribe systems': ({ systems }) =>
        object(['1', ref(), lobby, 'unsubscribe_systems', { systems: numbers(systems) }]),
      'Get status': () => object(['1', ref(), lobby, 'get_status', {}]),
      Leave: () => object(['1', ref(), lobby, 'phx_leave', {}]),
      'Join a room': () => object(['2', ref(), 'room:lobby', 'phx_join', { user_id: guest() }]),
      'Say in the room': () => object(['2', ref(), 'room:lobby', 'shout', { body: `Hello from ${guest()}` }]),
      Heartbeat: () => object([null, ref(), 'phoenix', 'heartbeat', {}]),
    },
    alive: { every: 30_000, message: () => object([null, ref(), 'phoenix', 'heartbeat', {}]) },
  },
  actions: {
    fields: { channel: 'kills' },
    presets: {
      Subscribe: ({ channel }) => object({ action: 'sub', channel }),
      Unsubscribe: ({ channel }) => object({ action: 'unsub', channel }),
    },
  },
  topics: {
    fields: { topics: 'all' },
    presets: {
      Subscribe: ({ topics }) => object({ type: 'subscribe', topics: topics.split(/[\s,]+/) }),
      Unsubscribe: ({ topics }) => object({ type: 'unsubscribe', topics: topics.split(/[\s,]+/) }),
      Ping: () => object({ type: 'ping', timestamp: new Date().toISOString() }),
    },
    answer: (text) => (text.startsWith('{"type":"ping"') ? object({ type: 'pong', timestamp: JSON.parse(text).timestamp }) : null),
  },
  events: {
    fields: { event: 'ticker' },
    presets: {
      Subscribe: ({ event }) => object({ type: 'subscribe', event }),
      Unsubscribe: ({ event }) => object({ type: 'unsubscribe', event }),
      Request: ({ event }) => object({ type: 'request', event }),
      Ping: () => object({ type: 'ping' }),
    },
  },
  commands: {
    fields: { message: 'Hello everyone!', to: '', channel: 'chat' },
    presets: {
      'To everyone': ({ message }) => object({ message }),
      'To one': ({ to, message }) => object({ to, message }),
      'Subscribe channel': ({ channel }) => object({ event: 'subscribe', channel }),
      'To the channel': ({ channel, message }) => object({ event: 'message', channel, data: message }),
      'Command: presence': () => object({ command: 'presence' }),
      'Command: broadcast': ({ message }) => object({ command: 'broadcast', message }),
      'Command: to channel': ({ channel, message }) => object({ command: 'broadcast_to_channel', channel, message }),
      'Command: private': ({ to, message }) => object({ command: 'private_message', to, message }),
      'Command: disconnect': ({ to }) => object({ command: 'disconnect', client_id: to }),
    },
  },
  proxy: { presets: { Text: () => 'Hello from the other side', JSON: () => object({ hello: 'proxy' }) } },
  echo: { presets: { Text: () => 'Hello', JSON: () => object({ hello: ['echo', 1, true, null] }) } },
  relay: { presets: { Text: () => `Hello from ${guest()}`, JSON: () => object({ from: guest(), at: Date.now() }) } },
}

/** Rules say anything; these are the ones that the server brings along. */
const routes = {
  '/api/ws/chat': {
    fields: { name: guest, room: 'general', say: '' },
    presets: {
      'Join room': ({ room, name }) => object({ type: 'join-room', room, username: name }),
      Say: ({ room, name, say }) => object({ type: 'message', room, username: name, text: say || 'Hello everyone!' }),
      'Leave room': ({ room }) => object({ type: 'leave-room', room }),
    },
    /** Enter in this field is this preset. */
    enter: { name: 'Join room', room: 'Join room', say: 'Say' },
  },
  '/api/ws/game': {
    fields: { game: '', action: 'move left' },
    presets: {
      'Create game': () => object({ type: 'create-game' }),
      'Join game': ({ game }) => object({ type: 'join-game', gameId: game }),
      Act: ({ game, action }) => object({ type: 'game-action', gameId: game, action }),
    },
    /** What a message fills a field with. */
    learn: (text) => (text.startsWith('{"type":"game-created"') ? { game: JSON.parse(text).gameId } : {}),
  },
}

/** What can be said at an endpoint. */
export function presetsFor({ pattern, kind }) {
  const { fields = {}, presets = {}, enter = {}, alive, answer, learn } = routes[pattern] ?? dialects[kind] ?? {}
  return { fields, presets, enter, alive, answer, learn }
}
