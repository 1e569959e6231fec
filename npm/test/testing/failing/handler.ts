/** A handler that throws. */

export const later = {
  pattern: '/later',
  onMessage: async (): Promise<void> => {
    await Promise.resolve()
    throw new TypeError('this is broken')
  },
}
