// What a message says in the dialect of its route: shown beside it, and never more than can be told for sure.

/** Pushes whose reply is awaited, at most. */
const MOST_WAITING = 10_000

/** By connection, topic and ref. */
const waiting = new Map()

/** A message in short: `{ label, channel, ref, status }`, or `undefined`. Asked once for each frame. */
export function decode(frame) {
  const { dialect, text, bytes, isCut } = frame
  try {
    if (dialect === 'phoenix') return bytes ? phoenixBinary(bytes) : phoenix(isCut ? phoenixBeginning(text) : JSON.parse(text))
    if (text === null || text === undefined || isCut || !/^\s*\{/.test(text)) return undefined
    return labelled(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Puts a reply beside its push, and gives back the push. */
export function pair(frame) {
  const { decoded, connection, direction } = frame
  if (!decoded?.ref || !connection) return undefined
  const key = `${connection} ${decoded.ref} ${decoded.channel}`
  if (direction === 'in') {
    if (waiting.size >= MOST_WAITING) waiting.delete(waiting.keys().next().value)
    waiting.set(key, frame)
    return undefined
  }
  if (decoded.label !== 'phx_reply') return undefined
  const push = waiting.get(key)
  if (!push) return undefined
  waiting.delete(key)
  const took = frame.at - push.at
  Object.assign(push, { reply: frame, took })
  Object.assign(frame, { push, took, isError: decoded.status === 'error' })
  return push
}

function phoenix(message) {
  const [joinRef, ref, topic, event, payload] = Array.isArray(message)
    ? message
    : [message.join_ref, message.ref, message.topic, message.event, message.payload]
  if (typeof topic !== 'string' || typeof event !== 'string') return undefined
  return { label: event, channel: topic, ref: ref ?? undefined, joinRef: joinRef ?? undefined, status: event === 'phx_reply' ? payload?.status : undefined }
}

/** The first four parts of a message of which only the beginning is there. */
function phoenixBeginning(text) {
  const [parts] = /^\[(?:(?:null|"(?:[^"\\]|\\.)*"),){4}/.exec(text) ?? []
  return parts && JSON.parse(`${parts}null]`)
}

/** The kinds of binary messages of V2, each with the lengths of its parts in front. */
function phoenixBinary(bytes) {
  const [kind, ...lengths] = bytes
  const names = [['joinRef', 'ref', 'channel', 'label'], ['joinRef', 'ref', 'channel', 'status'], ['channel', 'label']][kind]
  if (!names) return undefined
  const decoded = {}
  // A push of the server has no ref.
  let end = 1 + names.length
  names.forEach((name, index) => {
    decoded[name] = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(end, end + lengths[index])) || undefined
    end += lengths[index]
  })
  if (end > bytes.length) return undefined
  if (kind === 1) decoded.label = 'phx_reply'
  return decoded
}

/** What other dialects have in common: what a message is, and where it belongs. */
function labelled(message) {
  const { type, action, event, command, channel, topic, topics, room, to } = message
  const [label, ...others] = [type, action, command, event].filter((part) => typeof part === 'string')
  const list = Array.isArray(topics) ? topics.slice(0, 5).join(', ') : topics
  const place = [channel, topic, list, room, to, ...others].find((part) => typeof part === 'string' && part !== '')
  return label === undefined && place === undefined ? undefined : { label: label ?? '', channel: place }
}
