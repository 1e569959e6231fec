//! Broadcasts in no client's form, as they go to other nodes and into the history: their names, and a message.

use crate::handler::HandlerError;
use crate::interface::payload::Payload;
use crate::message::Message;

/// The name of the event, that of bytes which are broadcast under one of their own, and the message.
pub(super) fn encode<'a>(event: &'a str, payload: &'a Payload) -> (Vec<&'a str>, Message) {
    match payload {
        Payload::Json(value) => (vec![event], value.into()),
        Payload::Binary(bytes) => (vec![event], Message::Binary(bytes.clone())),
        Payload::UserBroadcast { event: own, data } => (vec![event, own], Message::Binary(data.clone())),
    }
}

/// The event and the payload. Fails without an event, and where a text is no JSON.
pub(super) fn decode(
    mut names: impl Iterator<Item = String>,
    message: Message,
) -> Result<(String, Payload), HandlerError> {
    let event = names.next().ok_or("a broadcast without an event")?;
    let payload = match (message, names.next()) {
        (Message::Binary(data), Some(event)) => Payload::UserBroadcast { event, data },
        (Message::Binary(bytes), None) => Payload::Binary(bytes),
        (text, _) => Payload::Json(text.parse_json()?),
    };
    Ok((event, payload))
}
