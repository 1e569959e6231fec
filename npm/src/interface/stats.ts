/** Statistics of a server. */

/**
 * What a server holds at one moment. Without connections all of it is 0, apart from what is counted since the start, the
 * timers of routes and feeds, and the upstream connections of feeds. The native server shows the same at `/health`.
 */
export interface Stats {
  /** Connections, from their opening handshake to their last hook. */
  connections: number
  /** Rooms that have members, of all routes. */
  rooms: number
  /** Armed deadlines. */
  timers: number
  /** Calls of your functions that are running. */
  calls: number
  /** Outgoing connections, such as those of proxies. */
  upstreams: number
  /** What passes between the server and its clients. */
  clientBytes: ByteCounts
  /** What passes between the server and its outgoing connections. */
  upstreamBytes: ByteCounts
  /**
   * How many messages for clients that read too slowly were dropped since the start, by the route's pattern with its
   * first prefix. Routes that dropped none are left out.
   */
  droppedMessages: Record<string, number>
}

/**
 * Bytes on their way, in the order in which they pass: how many did since the start, and how many wait now. Unless it
 * says otherwise, they are the payloads of messages.
 */
export interface ByteCounts {
  /** In messages that came, since the start. */
  received: number
  /**
   * Read and not decoded yet, now: frames and messages of which not all has come, and what came while the client is not
   * to be read. Of outgoing connections it is 0: what is kept of one unfinished message is bounded by `maxPayload`.
   */
  undecoded: number
  /** In messages that came and wait for their handler, now. */
  waiting: number
  /** In messages that were sent and that the other side has not taken, now. For clients with frame headers. */
  queued: number
  /** In messages that were sent, since the start: to clients when they were queued, upstream when they were taken. */
  sent: number
  /** In messages for outgoing connections that were dropped at twice the bound, since the start. */
  dropped: number
}
