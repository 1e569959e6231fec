// crossws on Node, with its publish and subscribe.
import { createServer } from 'node:http'
import crossws from 'crossws/adapters/node'

const room = (peer) => new URL(peer.request.url).pathname

const hooks = {
  open(peer) {
    peer.context.room = room(peer)
    if (!peer.context.room.startsWith('/echo')) peer.subscribe(peer.context.room)
  },
  message(peer, message) {
    const { room } = peer.context
    if (room.startsWith('/echo')) peer.send(message.text())
    else peer.publish(room, message.text())
  },
  error() {},
}

const plain = crossws({ hooks })
const deflated = crossws({ hooks, serverOptions: { perMessageDeflate: true } })

const server = createServer((request, response) => response.writeHead(404).end())
server.on('upgrade', (request, socket, head) => {
  const adapter = request.url.includes('-deflate') ? deflated : plain
  adapter.handleUpgrade(request, socket, head)
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
