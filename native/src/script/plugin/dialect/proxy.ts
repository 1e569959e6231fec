/** Functions that look at what passes a proxy. */

import type { ProxyInspector } from '../interface/proxy.js'
import { shapeOf } from '../values/arguments.js'

const INSPECTORS = ['onClientMessage', 'onTargetMessage'] as const

/** What looks at the messages of a proxy. */
export interface ProxyInspectors {
  onClientMessage?: ProxyInspector
  onTargetMessage?: ProxyInspector
}

/** Separates a proxy's functions from what the engine is told. */
export function separateProxy(options: unknown, label: string): { inspectors: ProxyInspectors; data: unknown } {
  const inspectors: ProxyInspectors = {}
  if (typeof options !== 'object' || options === null) return { inspectors, data: options }
  const data: Record<string, unknown> = { ...options }
  for (const name of INSPECTORS) {
    const inspector = data[name]
    delete data[name]
    if (inspector === undefined || inspector === null) continue
    if (typeof inspector !== 'function') {
      throw new Error(`${label}.proxy.${name}: expected a function, got ${shapeOf(inspector)}`)
    }
    inspectors[name] = inspector as ProxyInspector
  }
  return { inspectors, data }
}

/** What passes after a function has looked: the message as it is, nothing, or something else. */
export function passed(verdict: unknown): 'as it is' | undefined | { message: string | Uint8Array } {
  if (verdict === undefined || verdict === null || verdict === true) return 'as it is'
  if (verdict === false) return undefined
  if (typeof verdict === 'string' || verdict instanceof Uint8Array) return { message: verdict }
  throw new TypeError('a message of a proxy becomes text, bytes, false for none, or nothing for itself')
}
