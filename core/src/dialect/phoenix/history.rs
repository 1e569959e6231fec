//! What was said on topics lately, for clients that come back.
//!
//! On a route with a `history` a client takes part that says so in the payload of its join. Phoenix's clients are as they are:
//! they evaluate the payload at each join, so one that joins again by itself says how far it was.
//!
//! | client | server |
//! |---|---|
//! | `phx_join` with `"switchboard-history": true` | the reply; push `switchboard:history` `{"position"}`: how far the topic is |
//! | `phx_join` with `"switchboard-history": "<position>"` | the reply; the push, with `"recovered": true`; what was missed, as broadcasts |
//! | the same, when not all of it is there | the reply; the push, with `"recovered": false` |
//! | | broadcast of an object: with `"switchboard-position"` as a further key |
//! | | broadcast of anything else, or its own that does not come back to it: the push behind it |
//! | | messages of another node were lost: the push, with `"recovered": false` |
//!
//! The channel does not see the key of the join. Presence, pushes, replies and the values of feeds are no part of the history.
//! Clients that do not take part notice nothing.

use serde_json::{Map, Value};

use super::carried;
use super::message::{Body, Outgoing};
use super::sockets::Sockets;
use crate::handler::HandlerError;
use crate::handler::context::Context;
use crate::history::Opened;
use crate::interface::connection_id::ConnectionId;
use crate::interface::payload::Payload;
use crate::message::{Message, Text};
use crate::state::delivery::Delivery;

/// The key by which a join says that the client takes part.
const PARAMETER: &str = "switchboard-history";

/// The key of a broadcast that says how far the client is.
const POSITION: &str = "switchboard-position";

/// The event of a push that says how far a topic is.
const EVENT: &str = "switchboard:history";

/// Takes out of the payload of a join where the client was, if it takes part; an empty text: nowhere yet.
pub(super) fn take_from(payload: &mut Payload) -> Option<String> {
    let Payload::Json(Value::Object(fields)) = payload else { return None };
    match fields.remove(PARAMETER)? {
        Value::Bool(true) => Some(String::new()),
        Value::String(position) => Some(position),
        _ => None,
    }
}

/// A broadcast as it is kept.
struct Kept {
    topic: String,
    event: String,
    payload: Payload,
}

impl Sockets {
    /// Sends an event to everyone on a topic but `except`, which is nobody or who is in focus, on all nodes.
    #[cold]
    #[inline(never)]
    pub(super) fn broadcast_kept(
        &self,
        cx: &mut Context<'_>,
        topic: &str,
        event: &str,
        payload: &Payload,
        except: Option<ConnectionId>,
    ) {
        cx.say_kept(topic, except.is_none(), &encode(topic, event, payload));
        self.deliver_kept(cx);
    }

    /// Sends what the history has for clients.
    pub(super) fn deliver_kept(&self, cx: &mut Context<'_>) {
        for Delivery { to, message, is_enveloped, .. } in cx.deliveries() {
            // What was kept before another handler had the route is not in this form.
            match is_enveloped {
                true => {
                    if let Some(opened) = Opened::read(&message) {
                        self.deliver_opened(cx, to, opened);
                    }
                }
                false => {
                    if let Ok(kept) = decode(message) {
                        self.send_kept(cx, to, &kept, None);
                    }
                }
            }
        }
    }

    fn deliver_opened(&self, cx: &mut Context<'_>, to: Vec<ConnectionId>, opened: Opened) {
        let Opened { rooms, position, recovered, message } = opened;
        match message.map(decode) {
            Some(Ok(kept)) => {
                // Who takes part on one topic does not on all.
                let (following, others) = to.into_iter().partition(|id| self.follows(*id, &kept.topic));
                self.send_kept(cx, others, &kept, None);
                self.send_kept(cx, following, &kept, Some(&position));
            }
            Some(Err(_)) => {}
            None => rooms.iter().for_each(|topic| self.tell_position(cx, &to, topic, &position, recovered)),
        }
    }

    fn follows(&self, id: ConnectionId, topic: &str) -> bool {
        self.joined(id, topic).is_some_and(|joined| joined.follows)
    }

    /// Sends a broadcast, with how far these clients are then if they take part.
    fn send_kept(&self, cx: &mut Context<'_>, to: Vec<ConnectionId>, kept: &Kept, position: Option<&str>) {
        let Kept { topic, event, payload } = kept;
        let body = &Body::new(payload);
        let with_position = position.and_then(|position| with_position(payload, position));
        for (form, ids) in self.by_form(&to) {
            let encode = |body| form.encode(&Outgoing::Broadcast { topic, event, body });
            let Some(frame) = encode(body) else { continue };
            let marked = with_position.as_ref().and_then(encode);
            cx.note_room(topic);
            cx.deliver_as(ids, Some(&frame), marked.unwrap_or_else(|| frame.clone()));
        }
        if let (Some(position), None) = (position, with_position) {
            self.tell_position(cx, &to, topic, position, None);
        }
    }

    /// Tells those of these clients who take part on a topic how far it is.
    fn tell_position(
        &self,
        cx: &mut Context<'_>,
        to: &[ConnectionId],
        topic: &str,
        position: &str,
        recovered: Option<bool>,
    ) {
        let mut fields = Map::from_iter([("position".to_owned(), Value::from(position))]);
        fields.extend(recovered.map(|recovered| ("recovered".to_owned(), recovered.into())));
        let body = &Body::Json(Value::Object(fields).to_string());
        for &id in to {
            let Some(socket) = self.get(id) else { continue };
            let Some(joined) = socket.channels.get(topic).filter(|joined| joined.follows) else { continue };
            let push = Outgoing::Push { join_ref: &joined.join_ref, topic, event: EVENT, body };
            if let Some(frame) = socket.form.encode(&push) {
                cx.note_room(topic);
                cx.deliver_as(vec![id], None, frame);
            }
        }
    }
}

/// The payload with a position; `None` where it has no keys.
fn with_position(payload: &Payload, position: &str) -> Option<Body> {
    let Payload::Json(Value::Object(fields)) = payload else { return None };
    let mut fields = fields.clone();
    fields.insert(POSITION.to_owned(), position.into());
    Some(Body::Json(Value::Object(fields).to_string()))
}

/// The name of the topic and those of the broadcast as JSON, a line feed, and its message.
fn encode(topic: &str, event: &str, payload: &Payload) -> Message {
    let (mut names, message) = carried::encode(event, payload);
    names.insert(0, topic);
    let bytes = [Value::from(names).to_string().as_bytes(), b"\n", message.payload()].concat().into();
    match message {
        Message::Text(_) => Message::Text(Text::from_validated(bytes)),
        Message::Binary(_) => Message::Binary(bytes),
    }
}

fn decode(message: Message) -> Result<Kept, HandlerError> {
    let bytes = message.payload();
    // JSON has no line feed that is not escaped.
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("a broadcast without names")?;
    let mut names = serde_json::from_slice::<Vec<String>>(&bytes[..end])?.into_iter();
    let topic = names.next().ok_or("a broadcast without a topic")?;
    let rest = bytes.slice(end + 1..);
    let message = match message {
        Message::Text(_) => Message::Text(Text::from_validated(rest)),
        Message::Binary(_) => Message::Binary(rest),
    };
    let (event, payload) = carried::decode(names, message)?;
    Ok(Kept { topic, event, payload })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_broadcast_is_kept_and_read_again() {
        let data = Bytes::from_static(&[b'\n', 0, 255]);
        for payload in [
            Payload::Json(json!({ "text": "a\nb" })),
            Payload::Binary(data.clone()),
            Payload::UserBroadcast { event: "cursor".into(), data },
        ] {
            let kept = decode(encode("room:\n\"é", "new", &payload)).expect("a topic and an event");
            assert_eq!((&*kept.topic, &*kept.event, kept.payload), ("room:\n\"é", "new", payload));
        }
        assert!(decode("[]\n{}".into()).is_err() && decode("{}".into()).is_err());
    }

    #[test]
    fn what_a_join_asks_for_is_taken_out_of_its_payload() {
        let taken = |value: Value| {
            let mut payload = Payload::Json(json!({ "name": "Ann", PARAMETER: value }));
            let from = take_from(&mut payload);
            assert_eq!(payload, Payload::Json(json!({ "name": "Ann" })));
            from
        };
        assert_eq!((taken(json!(true)), taken(json!("1:2"))), (Some(String::new()), Some("1:2".into())));
        assert_eq!((taken(json!(false)), taken(Value::Null), taken(json!({}))), (None, None, None));
        assert_eq!(take_from(&mut Payload::Json(json!([PARAMETER]))), None);
    }
}
