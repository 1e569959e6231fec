// Event, EventTarget, AbortController and AbortSignal.

import { DOMException } from 'switchboard:runtime/clone.js'
import { setTimeout } from 'switchboard:runtime/timers.js'

export class Event {
  #isStopped = false
  defaultPrevented = false
  target = null
  constructor(type, { cancelable = false } = {}) {
    this.type = String(type)
    this.cancelable = cancelable
  }
  preventDefault() {
    if (this.cancelable) this.defaultPrevented = true
  }
  stopImmediatePropagation() {
    this.#isStopped = true
  }
  get isStopped() {
    return this.#isStopped
  }
}

export class EventTarget {
  #listeners = []
  addEventListener(type, listener, options = {}) {
    const once = typeof options === 'object' && options?.once === true
    if (listener && !this.#listeners.some((one) => one.type === type && one.listener === listener)) this.#listeners.push({ type, listener, once })
  }
  removeEventListener(type, listener) {
    this.#listeners = this.#listeners.filter((one) => one.type !== type || one.listener !== listener)
  }
  dispatchEvent(event) {
    event.target = this
    this[`on${event.type}`]?.(event)
    for (const { type, listener, once } of [...this.#listeners]) {
      if (type !== event.type || event.isStopped) continue
      if (once) this.removeEventListener(type, listener)
      typeof listener === 'function' ? listener.call(this, event) : listener.handleEvent(event)
    }
    return !event.defaultPrevented
  }
}

export class AbortSignal extends EventTarget {
  aborted = false
  reason = undefined
  onabort = null
  throwIfAborted() {
    if (this.aborted) throw this.reason
  }
  static abort(reason) {
    const controller = new AbortController()
    controller.abort(reason)
    return controller.signal
  }
  static timeout(ms) {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new DOMException('The operation timed out', 'TimeoutError')), ms)
    return controller.signal
  }
  static any(signals) {
    const controller = new AbortController()
    for (const signal of signals) {
      if (signal.aborted) controller.abort(signal.reason)
      else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true })
    }
    return controller.signal
  }
}

export class AbortController {
  signal = new AbortSignal()
  abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
    const { signal } = this
    if (signal.aborted) return
    signal.aborted = true
    signal.reason = reason
    signal.dispatchEvent(new Event('abort'))
  }
}
