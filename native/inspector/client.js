// One client of “Try”: a WebSocket with what was said on it.

import { presetsFor } from './presets.js'
import { Frames } from './try-frames.js'

const LONGEST_WAIT = 10_000
/** Who was told so may come back: going away, no close frame, service restart. */
const RETURNING = [1001, 1006, 1012]

/** It tells of changes by `onChange`, and gives fields of the page values that it learnt by `onLearn`. */
export class Client {
  frames = new Frames()
  state = 'closed'
  said = 'closed'
  #socket
  #beating
  #retry
  /** Grows with each attempt to come back. */
  #wait = 500

  constructor({ number, endpoint, url, onChange, onLearn }) {
    Object.assign(this, { number, url, onChange, onLearn, subprotocols: '', values: {} })
    this.use(endpoint, url)
  }

  /** Talks to another endpoint from now on. */
  use(endpoint, url) {
    this.#hangUp()
    Object.assign(this, { endpoint, url, subprotocols: '', talk: presetsFor(endpoint), values: {} })
    this.#set('closed', 'closed')
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  /** Connects anew. */
  connect() {
    this.#hangUp()
    let socket
    try {
      socket = new WebSocket(this.url, this.offered())
    } catch (error) {
      return this.frames.note(error.message, true)
    }
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    this.#set('connecting', 'connecting')
    socket.onopen = () => this.#opened()
    socket.onmessage = ({ data }) => this.#received(data)
    socket.onclose = ({ code, reason }) => this.#closed(code, reason)
  }

  /** Closes, or connects again. */
  toggle() {
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return this.#socket.close(1000)
    this.connect()
  }

  /** Whether it was sent. */
  send(message) {
    if (!this.isOpen) return false
    this.#socket.send(message)
    this.frames.frame('sent', message)
    return true
  }

  /** Ends for good. */
  end() {
    this.#hangUp()
    this.frames.show(false)
  }

  /** The subprotocols that it offers. */
  offered() {
    return this.subprotocols.split(/[\s,]+/).filter(Boolean)
  }

  #opened() {
    this.#wait = 500
    const { protocol, extensions, url } = this.#socket
    this.#set('open', ['connected', protocol && `subprotocol ${protocol}`, extensions && 'compressed'].filter(Boolean).join(', '))
    this.frames.note(`connected to ${url}`)
    const { alive } = this.talk
    if (alive) this.#beating = setInterval(() => this.send(alive.message()), alive.every)
  }

  #received(data) {
    this.frames.frame('received', data)
    if (typeof data !== 'string') return
    const answer = this.talk.answer?.(data)
    if (answer) this.send(answer)
    const learnt = this.talk.learn?.(data) ?? {}
    Object.assign(this.values, learnt)
    this.onLearn(this, learnt)
  }

  #closed(code, reason) {
    clearInterval(this.#beating)
    this.#set('closed', `closed: ${code}`)
    this.frames.note(`closed: ${code}${reason ? ` ${reason}` : ''}`, code !== 1000)
    // Who was sent away stays away; a server that is being restarted is waited for.
    if (!RETURNING.includes(code)) return
    this.#retry = setTimeout(() => this.connect(), this.#wait)
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT)
  }

  /** Leaves without being told of it. */
  #hangUp() {
    clearTimeout(this.#retry)
    clearInterval(this.#beating)
    if (!this.#socket) return
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null
    this.#socket.close()
    this.#socket = undefined
  }

  #set(state, said) {
    Object.assign(this, { state, said })
    this.onChange(this)
  }
}
