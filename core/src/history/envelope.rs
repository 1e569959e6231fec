//! The envelope in which clients that take part get messages to rooms.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::position::Position;
use crate::message::Message;

#[derive(Serialize)]
struct Envelope<'a> {
    history: Head<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary: Option<String>,
}

#[derive(Serialize)]
struct Head<'a> {
    rooms: Vec<&'a str>,
    position: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered: Option<bool>,
}

/// A message to these rooms.
pub(super) fn message(rooms: &[Arc<str>], position: &Position, message: &Message) -> Message {
    let head = head(rooms, position, None);
    encode(&match message {
        Message::Text(text) => Envelope { history: head, text: Some(text.as_str()), binary: None },
        Message::Binary(bytes) => {
            Envelope { history: head, text: None, binary: Some(BASE64_STANDARD.encode(bytes)) }
        }
    })
}

/// How far these rooms are, and whether what was missed follows.
pub(super) fn position(rooms: &[Arc<str>], position: &Position, recovered: Option<bool>) -> Message {
    let head = head(rooms, position, recovered);
    encode(&Envelope { history: head, text: None, binary: None })
}

fn head<'a>(rooms: &'a [Arc<str>], position: &Position, recovered: Option<bool>) -> Head<'a> {
    Head { rooms: rooms.iter().map(|room| &**room).collect(), position: position.to_string(), recovered }
}

fn encode(envelope: &Envelope<'_>) -> Message {
    // Text and numbers always serialize.
    serde_json::to_string(envelope).unwrap_or_default().into()
}
