/** Vite is of no use here. */

export const version = 'none'
