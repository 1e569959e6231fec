/** The numbers that cross between the core and JavaScript. Written by `cargo xtask contract`. */

/** What a record of a batch asks for; `wasm/src/batch.rs` describes the fields. */
export const Opcode = {
  Accept: 1,
  Reject: 2,
  Pause: 4,
  Resume: 5,
  Log: 6,
  Frames: 7,
  Write: 8,
  End: 9,
  Terminate: 10,
  Removed: 11,
  Call: 12,
  Read: 13,
  Dial: 14,
  Upstream: 15,
  HangUp: 16,
  PauseUpstream: 17,
  ResumeUpstream: 18,
  TerminateUpstream: 19,
  CancelCall: 20,
  ReportUnsent: 21,
  ReadPart: 22,
  Append: 23,
} as const

/** The words that every turn leaves, by their place. */
export const Header = {
  BatchAddress: 0,
  BatchLength: 1,
  DeadlineLow: 2,
  DeadlineHigh: 3,
  LatestSlot: 4,
  LatestGeneration: 5,
  IsMore: 6,
} as const

/** What the payload of a call, of an answer or of a message is. */
export const PayloadKind = {
  Nothing: 0,
  Text: 1,
  Binary: 2,
} as const

/** What becomes of an upgrade request. */
export const Claim = {
  Malformed: 0,
  Ours: 1,
  Foreign: 2,
} as const

/** What a channel's function replies. */
export const ReplyStatus = {
  None: 0,
  Ok: 1,
  Error: 2,
} as const

/** The functions of a handler, by the number of their call. */
export const Hook = {
  Authenticate: 0,
  Connect: 1,
  Transform: 2,
  Respond: 3,
  Message: 4,
  Ping: 5,
  Pong: 6,
  Close: 7,
  Error: 8,
  ClientMessage: 9,
  TargetMessage: 10,
  ChannelJoin: 11,
  ChannelHandleIn: 12,
  ChannelLeave: 13,
  ServerEvent: 14,
} as const

/** Who ended a connection. */
export const CloseCause = {
  Client: 0,
  Server: 1,
  Lost: 2,
} as const

/** What happened on a route of the dialect `commands`. */
export const ServerEvent = {
  Connect: 0,
  Disconnect: 1,
  Receive: 2,
  Send: 3,
  Crash: 4,
} as const

/** How important a log line is. */
export const Level = {
  Trace: 0,
  Debug: 1,
  Info: 2,
  Warn: 3,
  Error: 4,
} as const
