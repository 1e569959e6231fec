/** Imported without its extension. */
export const shared = { is: 'shared', url: import.meta.url }
