//! The envelope in which clients that take part get messages to rooms.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

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

/// What an envelope says, for handlers that bring it into the form of their clients.
#[derive(Debug, PartialEq)]
pub(crate) struct Opened {
    pub(crate) rooms: Vec<String>,
    pub(crate) position: String,
    pub(crate) recovered: Option<bool>,
    pub(crate) message: Option<Message>,
}

impl Opened {
    /// `None`: it is no envelope.
    pub(crate) fn read(envelope: &Message) -> Option<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            history: Head,
            text: Option<String>,
            binary: Option<String>,
        }
        #[derive(Deserialize)]
        struct Head {
            rooms: Vec<String>,
            position: String,
            recovered: Option<bool>,
        }
        let Envelope { history, text, binary } = serde_json::from_slice(envelope.payload()).ok()?;
        let Head { rooms, position, recovered } = history;
        let message = match (text, binary) {
            (Some(text), _) => Some(text.into()),
            (None, Some(binary)) => Some(Message::Binary(BASE64_STANDARD.decode(binary).ok()?.into())),
            (None, None) => None,
        };
        Some(Self { rooms, position, recovered, message })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_an_envelope_is_read_again() {
        let (rooms, here) = ([Arc::from("a"), Arc::from("b")], Position::default());
        let opened = |message: Option<Message>, recovered| Opened {
            rooms: vec!["a".into(), "b".into()],
            position: here.to_string(),
            recovered,
            message,
        };
        for sent in [Message::from("\"text\n"), Message::Binary(vec![0, 255].into())] {
            let envelope = message(&rooms, &here, &sent);
            assert_eq!(Opened::read(&envelope), Some(opened(Some(sent), None)));
        }
        for recovered in [None, Some(true), Some(false)] {
            let envelope = position(&rooms, &here, recovered);
            assert_eq!(Opened::read(&envelope), Some(opened(None, recovered)));
        }
        assert_eq!(Opened::read(&"{}".into()), None);
    }
}
