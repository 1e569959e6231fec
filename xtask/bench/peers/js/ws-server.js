// The server that both uses of ws share: rooms by path, echoes.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const plain = new WebSocketServer({ noServer: true, perMessageDeflate: false })
const deflated = new WebSocketServer({ noServer: true, perMessageDeflate: true })
const rooms = new Map()

export function serve(deliver) {
  const server = createServer((request, response) => response.writeHead(404).end())
  server.on('upgrade', (request, socket, head) => {
    const server = request.url.includes('-deflate') ? deflated : plain
    server.handleUpgrade(request, socket, head, (connection) => {
      connection.on('error', () => {})
      if (request.url.startsWith('/echo')) echo(connection)
      else join(connection, request.url, deliver)
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
}

function echo(connection) {
  connection.on('message', (data, isBinary) => connection.send(data, { binary: isBinary }))
}

function join(connection, name, deliver) {
  const room = rooms.get(name) ?? new Set()
  rooms.set(name, room.add(connection))
  connection.on('message', (data, isBinary) => {
    for (const receiver of room) {
      if (receiver !== connection && receiver.readyState === receiver.OPEN) deliver(receiver, data, isBinary)
    }
  })
  connection.on('close', () => {
    room.delete(connection)
    if (room.size === 0) rooms.delete(name)
  })
}
