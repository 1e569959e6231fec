// Bun's own server with its publish and subscribe.
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, server) {
    const { pathname } = new URL(request.url)
    const data = { room: pathname, echoes: pathname.startsWith('/echo'), compress: pathname.includes('-deflate') }
    return server.upgrade(request, { data }) ? undefined : new Response('', { status: 404 })
  },
  websocket: {
    perMessageDeflate: true,
    open(connection) {
      if (!connection.data.echoes) connection.subscribe(connection.data.room)
    },
    message(connection, message) {
      const { room, echoes, compress } = connection.data
      if (echoes) connection.send(message, compress)
      else connection.publish(room, message, compress)
    },
  },
})
console.log(`http://127.0.0.1:${server.port}`)
