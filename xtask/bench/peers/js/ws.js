// npm's ws, used as its documentation shows: one send per receiver.
import { serve } from './ws-server.js'

serve((receiver, data, isBinary) => receiver.send(data, { binary: isBinary }))
