//! What the bytes of a client come to.

use bytes::Bytes;

use crate::message::{CloseFrame, Message};
use crate::protocol::error::Violation;

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole message.
    Message(Message),
    /// A ping; it is to be answered with a pong of the same payload.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The client closes; it is to be answered with a close frame unless one was sent. Nothing comes after it.
    Close(Option<CloseFrame>),
    /// The client broke a rule; the connection is to be closed with its code. Nothing comes after it.
    Violation(Violation),
}

impl Event {
    pub(super) fn payload_len(&self) -> usize {
        match self {
            Event::Message(message) => message.len(),
            Event::Ping(payload) | Event::Pong(payload) => payload.len(),
            Event::Close(_) | Event::Violation(_) => 0,
        }
    }
}
