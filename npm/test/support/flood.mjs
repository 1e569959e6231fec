// Floods a server: so many connections, each sending small messages as fast as it is read. Prints a line when all are open.

import { connect } from 'node:net'

const [port, path, count, size] = process.argv.slice(2)
const mask = Buffer.from([1, 2, 3, 4])
const frame = Buffer.concat([Buffer.from([0x81, 0x80 | Number(size)]), mask, Buffer.alloc(Number(size), 0x20)])
for (let index = 0; index < frame.length - 6; index++) frame[6 + index] ^= mask[index % 4]
const chunk = Buffer.concat(Array(Math.ceil(65_536 / frame.length)).fill(frame))
let open = 0
for (let index = 0; index < Number(count); index++) {
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  socket.once('data', () => {
    const fill = () => {
      while (!socket.destroyed && socket.write(chunk));
    }
    socket.on('drain', fill)
    socket.on('data', () => {})
    fill()
    if (++open === Number(count)) console.log('open')
  })
}
