/** Imported without its extension. */
export const shared = { is: 'shared' }
