//! Connections that the server opens itself: to what it proxies, to what it takes feeds from.

use crate::message::{CloseFrame, Message};

/// Names one outgoing connection. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpstreamId(pub(crate) u64);

impl UpstreamId {
    /// The id as a number, for crossing into JavaScript.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The inverse of [`to_bits`](Self::to_bits).
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// A connection for the host to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dial {
    /// `ws://` or `wss://`.
    pub url: String,
    /// For the opening handshake, credentials included: never for a log.
    pub headers: Vec<(String, String)>,
    /// Subprotocols to offer.
    pub protocols: Vec<String>,
    /// Give up after so many ms.
    pub timeout: u64,
    /// The largest message to take, in bytes.
    pub max_message: usize,
}

/// What became of an outgoing connection, as the host reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpstreamEvent {
    /// It is open.
    Opened {
        /// The subprotocol that the other side chose.
        protocol: Option<String>,
    },
    /// A message came.
    Message(Message),
    /// It ended: with a close frame, with one that carried no code, or after it was open with none at all
    /// (1006). Nothing follows.
    Closed(Option<CloseFrame>),
    /// It could not be opened, or broke. Nothing follows.
    Failed {
        /// What went wrong, without credentials.
        message: String,
    },
}

impl UpstreamEvent {
    /// Whether nothing follows.
    pub fn is_last(&self) -> bool {
        matches!(self, UpstreamEvent::Closed(_) | UpstreamEvent::Failed { .. })
    }
}
