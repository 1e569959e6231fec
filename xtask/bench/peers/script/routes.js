// The native server with functions in JavaScript: the same as the plugin's in ../vite.
export const relay = {
  pattern: '/room/{room}',
  parse: 'text',
  onConnect: (conn, req) => conn.joinRoom(req.params.room),
  onMessage: (conn, data) => conn.broadcast(data, { rooms: conn.getRooms() }),
}

export const echo = { pattern: '/echo', parse: 'text', onMessage: (conn, data) => conn.send(data) }

// What has to be awaited.
export const awaited = {
  pattern: '/awaited',
  parse: 'text',
  onMessage: async (conn, data) => {
    await undefined
    conn.send(data)
  },
}
