import type { ScenarioStep } from 'vite-plugin-switchboard'

/** An order that goes wrong in every way: refused, too late, on a bad network, and at last with an error of the server. */
export const errors: ScenarioStep[] = [
  { expect: { type: 'login' }, within: 2_000, otherwise: 'late' },
  { send: { type: 'error', code: 'unauthorized', message: 'Wrong password' } },
  { expect: { type: 'login', password: 'secret' }, within: 2_000, otherwise: 'late' },
  { send: { type: 'welcome' } },
  { expect: { type: 'order' } },
  // From here on each message takes its time.
  { fault: { on: 'send', latency: 300 } },
  { send: { type: 'accepted', item: '{message.item}' } },
  { wait: 100 },
  { close: { code: 1011, reason: 'out of stock' } },
  { label: 'late' },
  { close: { code: 4000, reason: 'log in within 2 s' } },
]
