/** Recordings that are started and stopped while the server runs. */

/** What is recorded, and where. */
export interface RecordingOptions {
  /**
   * The file, which is appended to as things happen: `session.jsonl`. Folders are made. A relative path begins in Vite's `root`,
   * or in the working directory.
   */
  file: string
  /** The route that is recorded, by its pattern with its prefix or without, or the pattern of whole paths. Default: all. */
  route?: string | null
  /**
   * Regular expressions, as texts, for secrets in messages, URLs and reasons, besides the usual ones: what they match is written
   * as `***`. They are those of Rust's crate `regex`, without look-around. Default none.
   */
  mask?: string[] | null
}

/** A recording that was started. */
export interface RecordingHandle {
  /** Stops it. Done when its end is written; whether it was still there. */
  stop(): Promise<boolean>
  /** As {@link stop}: for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Records what passes between the server and its clients, as JSON Lines that can be read and replayed, on top of the files that
 * routes name by `record`. Credentials are left out.
 */
export interface Recordings {
  /**
   * Starts a recording. Connections that are open already are recorded from their next event on. Throws what is wrong with it,
   * when the file is recorded already, and when there are 100.
   */
  start(options: string | RecordingOptions): RecordingHandle
}
