//! What a recording is made of.

use std::time::Duration;

use crate::interface::close_cause::CloseCause;
use crate::message::{CloseFrame, Message};
use crate::time::WallTime;

/// The first line of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// When the recording began: the zero of each event's `at`. Written with ms.
    pub started_at: WallTime,
    /// What was recorded: the URL of the server, without credentials, or the pattern of the route.
    pub source: Option<String>,
}

/// One thing that happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, since the header's `startedAt`. Written in ms, exact to the µs.
    pub at: Duration,
    /// Which connection, counted from 1 within the run.
    pub connection: u64,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The opening handshake was answered with 101.
    Open(Open),
    /// The opening handshake was answered with another status. Nothing follows for this connection.
    Refuse(Refuse),
    /// A whole message passed.
    Message {
        /// Who sent it.
        from: Side,
        /// The message.
        message: Message,
    },
    /// The connection ended. Nothing follows for this connection.
    Close {
        /// Who ended it.
        by: CloseCause,
        /// The close code and reason; 1005: the close frame had none, 1006: there was no close frame.
        frame: CloseFrame,
    },
    /// A fault of the route happened. It informs the reader only.
    Fault {
        /// What it did, in words.
        effect: String,
    },
}

/// An opening handshake that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The path with its query.
    pub path: String,
    /// The request's headers, in their order.
    pub headers: Vec<(String, String)>,
    /// The status of the response: 101, or 200 over HTTP/2 (RFC 8441).
    pub status: u16,
    /// The subprotocol that the server chose.
    pub subprotocol: Option<String>,
    /// The response's headers, in their order.
    pub response_headers: Vec<(String, String)>,
}

impl Open {
    /// An opening handshake for this path, answered with 101, without headers and without a subprotocol.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            headers: Vec::new(),
            status: 101,
            subprotocol: None,
            response_headers: Vec::new(),
        }
    }
}

/// An opening handshake that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refuse {
    /// The path with its query.
    pub path: String,
    /// The request's headers, in their order.
    pub headers: Vec<(String, String)>,
    /// The status of the response.
    pub status: u16,
    /// Why, in words; may be empty.
    pub reason: String,
}

/// One of the two sides of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who opened the connection.
    Client,
    /// Who accepted it.
    Server,
}

/// Events that were left out, as they could not be written as fast as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When they were left out, since the header's `startedAt`.
    pub at: Duration,
    /// How many.
    pub missed: u64,
}
