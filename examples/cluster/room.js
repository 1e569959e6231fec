// What is said: a route with a history, whose messages come in envelopes that say how far the room is.

const ROOM = 'lobby'

/** A room that is entered again and again, and knows what it has shown. */
export class Room {
  #name
  #show
  #socket
  /** How far it is. */
  #position = ''
  /** What was said here and is not confirmed yet. */
  #waiting = []

  /** `show` gets each line and its kind: `said`, `missed` or `unsent`. */
  constructor(name, show) {
    this.#name = name
    this.#show = show
  }

  /** Enters at this server; `entered` is called once it is in, which the first envelope tells. */
  open(server, entered) {
    const url = new URL(`ws://${server}/room/${ROOM}`)
    url.searchParams.set('switchboard-history', this.#position && `${ROOM}@${this.#position}`)
    const socket = new WebSocket(url)
    const isBack = this.#position !== ''
    let isIn = false
    socket.addEventListener('message', ({ data }) => {
      const { history, text } = JSON.parse(data)
      // The other envelopes are about what is said to everyone, which nobody does here.
      if (!history.rooms.includes(ROOM)) return
      this.#position = history.position
      if (text !== undefined) {
        const said = JSON.parse(text)
        this.#show(`${said.from}: ${said.text}`, 'said')
      } else if (!isIn) {
        isIn = true
        if (isBack && history.recovered !== true) this.#show('What was said meanwhile is not known here.', 'missed')
        entered()
      } else if (history.recovered === false) {
        this.#show('Something that was said just now was lost on its way.', 'missed')
      } else {
        this.#show(`${this.#name}: ${this.#waiting.shift()}`, 'said')
      }
    })
    socket.addEventListener('close', () => {
      // The server may have passed them on or not: only the user can know whether to say them again.
      for (const text of this.#waiting.splice(0)) this.#show(`nobody has confirmed: ${text}`, 'unsent')
    })
    this.#socket = socket
    return socket
  }

  /** Says this to everybody; false: there is no connection. */
  say(text) {
    if (this.#socket.readyState !== WebSocket.OPEN) return false
    this.#waiting.push(text)
    this.#socket.send(JSON.stringify({ from: this.#name, text }))
    return true
  }
}
