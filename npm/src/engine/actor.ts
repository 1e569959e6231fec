/** What a turn of the engine can ask for. */

/** What to open, as the engine describes it: `wasm/src/upstream.rs`. */
export interface Dial {
  url: string
  /** Names and values; a name may come more than once. */
  headers: [string, string][]
  protocols: string[]
  /** The largest message to take, in bytes. */
  maxMessage: number
}

/** Names a connection: a slot, and which of its users. */
export interface ConnectionId {
  readonly slot: number
  readonly generation: number
}

/** What the host needs to open a connection. */
export interface Accept extends ConnectionId {
  route: number
  /** The 101 response. */
  head: Buffer
  /** The id that users see. */
  name: string
  subprotocol: string | undefined
  params: Record<string, string> | null
  /** What a declared rule knows about the client; callbacks keep theirs themselves. */
  authData: unknown
}

/** One callback to run. */
export interface Call extends ConnectionId {
  call: number
  route: number
  hook: number
  payload: string | Buffer | undefined
  /** Further data of a dialect, as JSON. */
  about: string | undefined
  /** The code of a close. */
  code: number
  /** The cause of a close, or which event of a server it is. */
  detail: number
}

/** Does what a batch asks for; called in the order in which to do it. */
export interface Actor {
  accept(accept: Accept): void
  reject(slot: number, generation: number, response: Buffer): void
  pause(slot: number, generation: number): void
  resume(slot: number, generation: number): void
  /** The engine no longer waits for this call. */
  cancelCall(call: number): void
  logged(level: number, text: string): void
  /** A file is to be read for a feed. */
  readFile(feed: string, file: string): void
  /** A part of a file is to be read: at most `length` bytes from `offset` on. */
  readFilePart(read: number, offset: number, length: number, file: string): void
  /** A file is to be appended to. */
  appendFile(file: string, bytes: Buffer): void
  dial(upstream: number, dial: Dial): void
  sendUpstream(upstream: number, message: string | Buffer): void
  closeUpstream(upstream: number, code: number | undefined, reason: string): void
  pauseUpstream(upstream: number): void
  resumeUpstream(upstream: number): void
  terminateUpstream(upstream: number): void
  /** Frames to write, in order; most often it is one piece. */
  write(slot: number, generation: number, frames: Buffer | Buffer[]): void
  end(slot: number, generation: number): void
  /** The engine asks how many bytes the client has not taken yet. */
  reportUnsent(slot: number, generation: number): void
  terminate(slot: number, generation: number): void
  removed(slot: number, generation: number): void
}
