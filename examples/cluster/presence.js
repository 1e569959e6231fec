// Who is there: a channel of Phoenix, whose frames are [join ref, ref, topic, event, payload].

const TOPIC = 'room:lobby'
const HEARTBEAT = 30_000

/** Joins under this name; `changed` gets how often each name is there, whenever that changes. */
export function openPresence(server, name, changed) {
  const socket = new WebSocket(`ws://${server}/socket/websocket?vsn=2.0.0`)
  /** The references of the connections of each name. */
  let present = new Map()
  let ref = 0
  const push = (topic, event, payload) => socket.send(JSON.stringify(['1', String(++ref), topic, event, payload]))
  const heartbeat = setInterval(() => socket.readyState === WebSocket.OPEN && push('phoenix', 'heartbeat', {}), HEARTBEAT)
  socket.addEventListener('open', () => push(TOPIC, 'phx_join', { name }))
  socket.addEventListener('close', () => clearInterval(heartbeat))
  socket.addEventListener('message', ({ data }) => {
    const [, , , event, payload] = JSON.parse(data)
    if (event === 'presence_state') present = new Map()
    else if (event !== 'presence_diff') return
    join(event === 'presence_state' ? payload : payload.joins)
    leave(event === 'presence_state' ? {} : payload.leaves)
    changed(new Map([...present].map(([who, references]) => [who, references.size])))
  })
  return socket

  function join(entries) {
    for (const [who, { metas }] of Object.entries(entries)) {
      const references = present.get(who) ?? new Set()
      for (const { phx_ref } of metas) references.add(phx_ref)
      present.set(who, references)
    }
  }

  function leave(entries) {
    for (const [who, { metas }] of Object.entries(entries)) {
      const references = present.get(who) ?? new Set()
      for (const { phx_ref } of metas) references.delete(phx_ref)
      if (references.size === 0) present.delete(who)
    }
  }
}
