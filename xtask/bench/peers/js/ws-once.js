// npm's ws with each frame encoded once for all receivers, which takes what ws does not document.
import { Sender } from 'ws'
import { serve } from './ws-server.js'

let of
let frame

serve((receiver, data, isBinary) => {
  if (of !== data) {
    of = data
    const options = { fin: true, rsv1: false, opcode: isBinary ? 2 : 1, mask: false, readOnly: true }
    frame = Buffer.concat(Sender.frame(data, options))
  }
  receiver._socket.write(frame)
})
