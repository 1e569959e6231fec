// The plugin in Vite's development server: every message goes through a function in JavaScript.
import switchboard from '../../../../npm/dist/index.js'

const relay = {
  parse: 'text',
  onConnect: (conn, req) => conn.joinRoom(req.params.room),
  onMessage: (conn, data) => conn.broadcast(data, { rooms: conn.getRooms() }),
}
const echo = { parse: 'text', onMessage: (conn, data) => conn.send(data) }

// As many routes more as the mode says, in front of those that are used.
const more = (mode) =>
  Array.from({ length: Number(mode.split('-')[1] ?? 0) }, (_, number) => ({
    ...echo,
    pattern: `/more/${number}/{name}/*`,
  }))

export default ({ mode }) => ({
  // Nothing here changes meanwhile.
  server: { watch: null },
  plugins: [
    switchboard({
      endpointPrefix: '/api',
      limits: { maxConnections: 20_000 },
      wsHandlers: [
        ...more(mode),
        { pattern: '/room/{room}', ...relay },
        { pattern: '/room-deflate/{room}', ...relay, perMessageDeflate: true },
        { pattern: '/echo', ...echo },
        { pattern: '/echo-deflate', ...echo, perMessageDeflate: true },
      ],
    }),
  ],
})
