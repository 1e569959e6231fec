//! The V2 serializer's binary frames: a kind, the lengths of the names as one byte each, the names, the data.
//!
//! | kind | from | names | |
//! |---|---|---|---|
//! | 0 | client | join_ref, ref, topic, event | push |
//! | 0 | server | join_ref, topic, event | push |
//! | 1 | server | join_ref, ref, topic, status | reply |
//! | 2 | server | topic, event | broadcast |
//! | 3 | client | join_ref, ref, topic, user event, metadata, then 0 for bytes or 1 for JSON | Supabase's broadcast |
//! | 4 | server | topic, user event, metadata, then 0 for bytes or 1 for JSON | Supabase's broadcast |

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

use super::message::{Body, ClientMessage, Outgoing, Undecodable};
use crate::interface::payload::Payload;

const PUSH: u8 = 0;
const REPLY: u8 = 1;
const BROADCAST: u8 = 2;
const USER_BROADCAST_PUSH: u8 = 3;
const USER_BROADCAST: u8 = 4;

const BYTES: u8 = 0;
const JSON: u8 = 1;

/// The event that Supabase's binary broadcasts stand for.
const BROADCAST_EVENT: &str = "broadcast";

pub(super) fn decode(frame: &Bytes) -> Result<ClientMessage, Undecodable> {
    match frame.first() {
        Some(&PUSH) => {
            let ([join_ref, reference, topic, event], data) = names(frame, 5)?;
            let (join_ref, reference) = (join_ref.into(), reference.into());
            Ok(ClientMessage { join_ref, reference, topic, event, payload: Payload::Binary(data) })
        }
        Some(&USER_BROADCAST_PUSH) => {
            let ([join_ref, reference, topic, event, _metadata], data) = names(frame, 7)?;
            let payload = match frame.get(6) {
                Some(&JSON) => {
                    let payload: Value = serde_json::from_slice(&data).map_err(|_| Undecodable)?;
                    json!({ "type": BROADCAST_EVENT, "event": event, "payload": payload }).into()
                }
                Some(&BYTES) => Payload::UserBroadcast { event, data },
                _ => return Err(Undecodable),
            };
            let (join_ref, reference) = (reference_or_null(join_ref), reference_or_null(reference));
            Ok(ClientMessage { join_ref, reference, topic, event: BROADCAST_EVENT.into(), payload })
        }
        _ => Err(Undecodable),
    }
}

/// `None` where a name is longer than a byte can say, and for what goes in text frames.
pub(super) fn encode(message: &Outgoing<'_>) -> Option<Bytes> {
    match message {
        Outgoing::Push { join_ref, topic, event, body: Body::Binary(data) } => {
            frame(PUSH, &[&text(join_ref), topic, event], &[], data)
        }
        Outgoing::Reply { join_ref, reference, topic, status, body: Body::Binary(data) } => {
            frame(REPLY, &[&text(join_ref), &text(reference), topic, status.as_str()], &[], data)
        }
        Outgoing::Broadcast { topic, event, body: Body::Binary(data) } => {
            frame(BROADCAST, &[topic, event], &[], data)
        }
        Outgoing::Push { topic, body: Body::UserBroadcast { event, data }, .. }
        | Outgoing::Broadcast { topic, body: Body::UserBroadcast { event, data }, .. } => {
            frame(USER_BROADCAST, &[topic, event, ""], &[BYTES], data)
        }
        _ => None,
    }
}

/// The names of a frame whose header has so many bytes, and the data behind them.
fn names<const N: usize>(frame: &Bytes, header: usize) -> Result<([String; N], Bytes), Undecodable> {
    let lengths = frame.get(1..=N).ok_or(Undecodable)?;
    let mut names = [const { String::new() }; N];
    let mut start = header;
    for (name, length) in names.iter_mut().zip(lengths) {
        let end = start + usize::from(*length);
        let bytes = frame.get(start..end).ok_or(Undecodable)?;
        *name = String::from_utf8(bytes.to_vec()).map_err(|_| Undecodable)?;
        start = end;
    }
    Ok((names, frame.slice(start..)))
}

fn frame(kind: u8, names: &[&str], more: &[u8], data: &Bytes) -> Option<Bytes> {
    let length: usize = names.iter().map(|name| name.len()).sum();
    let mut frame = BytesMut::with_capacity(1 + names.len() + more.len() + length + data.len());
    frame.put_u8(kind);
    for name in names {
        frame.put_u8(u8::try_from(name.len()).ok()?);
    }
    frame.put_slice(more);
    for name in names {
        frame.put_slice(name.as_bytes());
    }
    frame.put_slice(data);
    Some(frame.freeze())
}

fn text(reference: &Value) -> String {
    match reference {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn reference_or_null(name: String) -> Value {
    if name.is_empty() { Value::Null } else { Value::String(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::channel::Status;

    fn bytes(text: &'static [u8]) -> Bytes {
        Bytes::from_static(text)
    }

    #[test]
    fn a_push_is_five_lengths_and_four_names() {
        let message = decode(&bytes(b"\0\x02\x01\x03\x0212123room\x01\xff")).unwrap();
        assert_eq!((message.join_ref, message.reference), (json!("12"), json!("1")));
        assert_eq!((&*message.topic, &*message.event), ("23r", "oo"));
        assert_eq!(message.payload, Payload::Binary(bytes(b"m\x01\xff")));
        for frame in [&b""[..], b"\0", b"\0\x01\x01\x01\x01abc", b"\x05aaaa", b"\0\0\0\x01\0\xff"] {
            assert_eq!(decode(&Bytes::from_static(frame)), Err(Undecodable), "{frame:?}");
        }
    }

    #[test]
    fn pushes_replies_and_broadcasts_of_bytes() {
        let (join_ref, reference, body) = (json!("1"), json!(22), Body::Binary(bytes(b"\xff")));
        let (topic, event) = ("room", "e");
        let reply = Outgoing::Reply {
            join_ref: &join_ref,
            reference: &reference,
            topic,
            status: Status::Ok,
            body: &body,
        };
        assert_eq!(encode(&reply).unwrap(), &b"\x01\x01\x02\x04\x02122roomok\xff"[..]);
        let push = Outgoing::Push { join_ref: &join_ref, topic, event, body: &body };
        assert_eq!(encode(&push).unwrap(), &b"\0\x01\x04\x011roome\xff"[..]);
        let broadcast = Outgoing::Broadcast { topic, event, body: &body };
        assert_eq!(encode(&broadcast).unwrap(), &b"\x02\x04\x01roome\xff"[..]);
        let long = "x".repeat(256);
        assert_eq!(encode(&Outgoing::Broadcast { topic: &long, event, body: &body }), None);
    }

    #[test]
    fn supabase_broadcasts_json_and_bytes() {
        let json = decode(&bytes(b"\x03\x01\x01\x01\x03\0\x0112tcur{\"x\":1}")).unwrap();
        assert_eq!((&*json.event, &*json.topic), ("broadcast", "t"));
        let expected = json!({ "type": "broadcast", "event": "cur", "payload": { "x": 1 } });
        assert_eq!(json.payload, Payload::Json(expected));
        let message = decode(&bytes(b"\x03\0\x01\x01\x03\0\x002tcur\xff")).unwrap();
        assert_eq!(message.join_ref, Value::Null);
        let body = Body::new(&message.payload);
        let out = encode(&Outgoing::Broadcast { topic: "t", event: "broadcast", body: &body }).unwrap();
        assert_eq!(out, &b"\x04\x01\x03\0\0tcur\xff"[..]);
        assert_eq!(decode(&bytes(b"\x03\0\0\x01\0\0\x02t")), Err(Undecodable));
    }
}
