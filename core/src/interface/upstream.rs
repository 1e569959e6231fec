//! Connections that the server opens itself: to the targets of proxies and to the sources of feeds.

use std::time::Duration;

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

/// A connection for the host to open. The engine takes care of timeouts and of limits on what waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dial {
    /// `ws://` or `wss://`.
    pub url: String,
    /// For the opening handshake, credentials included: never for a log.
    pub headers: Vec<(String, String)>,
    /// Subprotocols to offer.
    pub protocols: Vec<String>,
    /// How long the opening handshake may take before the attempt is given up. Default 10 s.
    pub timeout: Duration,
    /// The largest message to take, in bytes. Default 16 MiB.
    pub max_message: usize,
    /// How many bytes may have been sent and not taken before nothing more is taken from the client. Default 1 MiB.
    pub max_queued: usize,
    /// How long the other side may take none of the messages that wait for it before it is given up. Default 30 s.
    pub send_timeout: Duration,
}

impl Dial {
    /// A connection to this URL, with the defaults.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: Vec::new(),
            protocols: Vec::new(),
            timeout: Duration::from_secs(10),
            max_message: 16 << 20,
            max_queued: 1 << 20,
            send_timeout: Duration::from_secs(30),
        }
    }
}

/// An event of an outgoing connection, as the host reports it.
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
    /// The transport has taken messages of [`Effect::SendUpstream`](crate::Effect::SendUpstream), in their order.
    /// Handlers are not told of it.
    Sent {
        /// How many since the last report.
        messages: usize,
    },
    /// It ended: with a close frame, with one that carried no code, or after it was open with none at all
    /// (1006). Nothing follows.
    Closed(Option<CloseFrame>),
    /// The other side answered the opening handshake with another status than 101. Nothing follows.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// It could not be opened, or broke. Nothing follows.
    Failed {
        /// What went wrong, without credentials.
        message: String,
    },
    /// The other side did not answer, or took none of the messages, in time. Comes from the engine, not from the host.
    /// Nothing follows.
    TimedOut {
        /// What did not happen within how many ms.
        message: String,
    },
}

/// A text for an answer with this HTTP status.
pub(crate) fn refused(status: u16) -> String {
    match http::StatusCode::from_u16(status) {
        Ok(status) => format!("answered {status} instead of 101"),
        Err(_) => format!("answered {status} instead of 101"),
    }
}

impl UpstreamEvent {
    /// Whether nothing follows.
    pub fn is_last(&self) -> bool {
        match self {
            UpstreamEvent::Opened { .. } | UpstreamEvent::Message(_) | UpstreamEvent::Sent { .. } => false,
            UpstreamEvent::Closed(_)
            | UpstreamEvent::Refused { .. }
            | UpstreamEvent::Failed { .. }
            | UpstreamEvent::TimedOut { .. } => true,
        }
    }
}
