const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
let socket = null

element('choose').onsubmit = (event) => {
  event.preventDefault()
  connect(event.submitter.dataset.path)
}
element('say').onsubmit = (event) => {
  event.preventDefault()
  socket?.send(element('text').value)
}
connect('/ws/proxy/live')

function connect(path) {
  socket?.close()
  element('messages').replaceChildren()
  const current = new WebSocket(`${scheme}://${server}${path}`)
  socket = current
  show('connecting', ` to ${path}`)
  // A socket that was replaced meanwhile has nothing more to say.
  const ifCurrent = (handler) => (event) => socket === current && handler(event)
  current.onopen = ifCurrent(() => show('open', ` at ${path}`))
  current.onmessage = ifCurrent((event) => line(event.data))
  current.onclose = ifCurrent((event) => show('closed', `: ${event.code} ${event.reason}`))
}

function line(text) {
  element('messages').prepend(Object.assign(document.createElement('li'), { textContent: text }))
  while (element('messages').childElementCount > 100) element('messages').lastChild.remove()
}

function show(status, detail = '') {
  element('status').className = status
  element('status').textContent = status + detail
}
