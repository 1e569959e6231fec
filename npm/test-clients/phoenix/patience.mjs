/** Waits that end. */
import assert from 'node:assert/strict'

const PATIENCE = 20_000

setTimeout(() => assert.fail('the scene takes too long'), 3 * PATIENCE).unref()

/** The value that `start` hands over; fails with `what` when none comes. */
export function eventually(what, start) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${what}`)), PATIENCE)
    start((value) => {
      clearTimeout(timer)
      resolve(value)
    })
  })
}
