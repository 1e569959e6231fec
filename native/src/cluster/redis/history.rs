//! What Redis keeps of channels: a stream of the messages, a hash of the notes, and the bytes of the payloads.
//!
//! A script publishes and keeps a message at once, so that it comes to whoever is subscribed or reads later. What Redis cannot
//! keep is published all the same: by its number others see that it is missing.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use redis::{Cmd, Value};
use sha1::{Digest, Sha1};
use switchboard_core::cluster::{BackplaneInput, KeepBounds, KeptMessage};

/// How many messages are read together.
const PART: u64 = 200;

/// How long notes are kept at least, in ms.
const NOTES_TTL: u64 = 24 * 60 * 60 * 1_000;

/// Publishes a message and keeps it within its bounds; gives why it was not kept, or nothing. The age of the oldest message is
/// looked at now and then, as what is too old is not read anyway, and of too many messages some go together. Keys: the stream, the bytes, the notes; arguments: the channel,
/// the payload, ttl, messages, bytes, and the ttl of notes.
const PUBLISH_AND_KEEP: &str = "local stream, size, payload = KEYS[1], KEYS[2], ARGV[2]
local ttl, most, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local function keep()
  local id = redis.call('XADD', stream, '*', 'm', payload)
  local count = redis.call('XLEN', stream)
  local bytes = #payload
  if count == 1 then redis.call('SET', size, bytes) else bytes = redis.call('INCRBY', size, bytes) end
  local oldest = tonumber(string.match(id, '^%d+')) - ttl
  while count > 1 and (count > most or bytes > most_bytes or count % 64 == 0) do
    local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', count > most and math.min(64, count - 1) or 1)
    local is_old = tonumber(string.match(first[1][1], '^%d+')) < oldest
    if count <= most and bytes <= most_bytes and not is_old then break end
    local freed = 0
    for _, entry in ipairs(first) do freed = freed + #entry[2][2] end
    count = count - #first
    redis.call('XTRIM', stream, 'MAXLEN', count)
    bytes = redis.call('INCRBY', size, -freed)
  end
  redis.call('PEXPIRE', stream, ttl)
  redis.call('PEXPIRE', size, ttl)
  redis.call('PEXPIRE', KEYS[3], ARGV[6])
end
local is_kept, reason = true, nil
if #payload <= most_bytes then is_kept, reason = pcall(keep) end
redis.call('PUBLISH', ARGV[1], payload)
if is_kept then return false end
return type(reason) == 'table' and reason.err or tostring(reason)";

/// Keeps a note. Very many of them are forgotten, with the messages, which without them prove nothing. Keys: the notes, the
/// stream; arguments: the key, the note, the ttl of notes.
const NOTE: &str = "if redis.call('HLEN', KEYS[1]) >= 1000 then redis.call('DEL', KEYS[1], KEYS[2]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return false";

/// Reads a part of the messages, and with the last part the notes: the time, the messages, where the next part begins, the notes.
/// Keys: the stream, the notes; arguments: where to begin, or nothing; ttl; how many.
const READ: &str = "local time, start = redis.call('TIME'), ARGV[1]
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if start == '' then start = string.format('%.0f', math.max(0, now - ARGV[2])) end
local part = redis.call('XRANGE', KEYS[1], start, '+', 'COUNT', ARGV[3])
local messages = {}
for index, entry in ipairs(part) do
  local at = tonumber(string.match(entry[1], '^%d+'))
  messages[index] = { string.format('%.0f', math.max(0, now - at)), entry[2][2] }
end
if #part < tonumber(ARGV[3]) then return { messages, '', redis.call('HVALS', KEYS[2]) } end
local at, number = string.match(part[#part][1], '^(%d+)-(%d+)$')
return { messages, at .. '-' .. string.format('%.0f', number + 1), {} }";

fn stream(channel: &str) -> String {
    // No channel of a route has a number sign in it.
    format!("{channel}#kept")
}

fn notes(channel: &str) -> String {
    format!("{channel}#notes")
}

fn notes_ttl(bounds: KeepBounds) -> u64 {
    NOTES_TTL.max(bounds.ttl.saturating_mul(2))
}

/// `is_known`: the script was sent before in this pipeline.
pub(super) fn publish_and_keep(channel: &str, payload: &Bytes, bounds: KeepBounds, is_known: bool) -> Cmd {
    let mut command = Cmd::new();
    match is_known {
        true => command.arg("EVALSHA").arg(publish_and_keep_name()),
        false => command.arg("EVAL").arg(PUBLISH_AND_KEEP),
    };
    command.arg(3).arg(stream(channel)).arg(format!("{channel}#bytes")).arg(notes(channel));
    command.arg(channel).arg(&payload[..]);
    command.arg(bounds.ttl).arg(bounds.messages).arg(bounds.bytes).arg(notes_ttl(bounds));
    command
}

/// The name that Redis gives to the script.
fn publish_and_keep_name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| {
        let digest = Sha1::digest(PUBLISH_AND_KEEP);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    });
    &NAME
}

pub(super) fn note(channel: &str, key: &str, note: &Bytes, bounds: KeepBounds) -> Cmd {
    let mut command = Cmd::new();
    command.arg("EVAL").arg(NOTE).arg(2).arg(notes(channel)).arg(stream(channel));
    command.arg(key).arg(&note[..]).arg(notes_ttl(bounds));
    command
}

pub(super) fn read(channel: &str, after: Option<&Bytes>, bounds: KeepBounds) -> Cmd {
    let mut command = Cmd::new();
    command.arg("EVAL").arg(READ).arg(2).arg(stream(channel)).arg(notes(channel));
    command.arg(after.map_or(&[][..], |after| &after[..])).arg(bounds.ttl).arg(PART);
    command
}

/// What was read. An answer that cannot be understood is that nothing is kept.
pub(super) fn kept(channel: Arc<str>, answer: Value) -> BackplaneInput {
    let (messages, next, notes) = parts(answer).unwrap_or_default();
    BackplaneInput::Kept { channel, messages, next, notes }
}

fn parts(answer: Value) -> Option<(Vec<KeptMessage>, Option<Bytes>, Vec<Bytes>)> {
    let mut parts = array(answer)?.into_iter();
    let messages = array(parts.next()?)?.into_iter().map(|message| {
        let mut message = array(message)?.into_iter();
        let age = String::from_utf8(text(message.next()?)?).ok()?.parse().ok()?;
        Some(KeptMessage { age, payload: text(message.next()?)?.into() })
    });
    let messages = messages.collect::<Option<_>>()?;
    let next = Bytes::from(text(parts.next()?)?);
    let notes = array(parts.next()?)?.into_iter().map(|note| text(note).map(Bytes::from));
    Some((messages, Some(next).filter(|next| !next.is_empty()), notes.collect::<Option<_>>()?))
}

fn array(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

fn text(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_is_that_nothing_is_kept() {
        let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let message = |age: &str| Value::Array(vec![bulk(age), bulk("m")]);
        let answer = |messages, next| Value::Array(vec![messages, bulk(next), Value::Array(vec![bulk("n")])]);
        let read = kept("c".into(), answer(Value::Array(vec![message("7")]), "1-2"));
        let messages = vec![KeptMessage { age: 7, payload: "m".into() }];
        let (next, notes) = (Some(Bytes::from("1-2")), vec![Bytes::from("n")]);
        assert_eq!(read, BackplaneInput::Kept { channel: "c".into(), messages, next, notes });
        let nothing = kept("c".into(), Value::Nil);
        for wrong in [
            Value::Int(1),
            Value::Array(Vec::new()),
            answer(Value::Nil, ""),
            answer(Value::Array(vec![message("x")]), ""),
            answer(Value::Array(vec![Value::Int(1)]), ""),
        ] {
            assert_eq!(kept("c".into(), wrong), nothing);
        }
    }
}
