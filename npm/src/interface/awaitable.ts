/** Values that may be promises. */

/** What a function may return that may take its time. */
export type Awaitable<T> = T | PromiseLike<T>
