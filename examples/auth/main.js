const element = (id) => document.getElementById(id)

// The same origin by default; ?server=127.0.0.1:4004 talks to a native server instead.
const server = new URLSearchParams(location.search).get('server') ?? location.host
const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
let socket = null

element('form').onsubmit = (event) => {
  event.preventDefault()
  connect(event.submitter.dataset.query)
}

function connect(query) {
  socket?.close()
  const url = `${scheme}://${server}/api/ws/private${query}`
  const current = new WebSocket(url)
  socket = current
  show({ url, status: 'connecting', message: '–', close: '–' })
  // A socket that was replaced meanwhile has nothing more to say.
  const ifCurrent = (handler) => (event) => socket === current && handler(event)
  current.onopen = ifCurrent(() => show({ status: 'open' }))
  current.onmessage = ifCurrent((event) => show({ message: event.data }))
  current.onclose = ifCurrent((event) => show({ status: 'closed', close: `${event.code} ${event.reason}` }))
}

function show(values) {
  for (const [id, text] of Object.entries(values)) {
    element(id).textContent = text
  }
}
