//! What a host tells the engine.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::interface::connection_id::ConnectionId;
use crate::interface::hook::{Answer, CallId};
use crate::interface::upstream::{UpstreamEvent, UpstreamId};
use crate::message::{CloseFrame, Message};
use crate::protocol::Violation;
use crate::routing::pattern::Params;

/// One thing that happened. Hosts pass each on as it comes; the engine keeps the order per connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input {
    /// A client asks for a WebSocket.
    Upgrade {
        /// A fresh id from [`ConnectionIds`](crate::ConnectionIds).
        id: ConnectionId,
        /// The opening handshake, head only.
        request: Box<http::Request<()>>,
        /// The client's address, for logs and limits.
        address: Option<IpAddr>,
    },
    /// A client asks for a WebSocket on a route that the host has found by itself, whatever the path.
    Mounted {
        /// A fresh id from [`ConnectionIds`](crate::ConnectionIds).
        id: ConnectionId,
        /// The opening handshake, head only.
        request: Box<http::Request<()>>,
        /// The client's address, for logs and limits.
        address: Option<IpAddr>,
        /// The route, and what the host knows of the client.
        mounted: Box<Mounted>,
    },
    /// The WebSocket of an [`Effect::Accept`](crate::Effect::Accept) is ready: frames may be sent to it, which go out
    /// behind its 101. To be reported before the client can read the 101, so that it misses nothing from then on.
    Opened {
        /// Which connection.
        id: ConnectionId,
    },
    /// A whole message came.
    Message {
        /// From whom.
        id: ConnectionId,
        /// What.
        message: Message,
    },
    /// A ping came.
    Ping {
        /// From whom.
        id: ConnectionId,
        /// At most 125 bytes.
        payload: Bytes,
    },
    /// A pong came.
    Pong {
        /// From whom.
        id: ConnectionId,
        /// At most 125 bytes.
        payload: Bytes,
    },
    /// A close frame came; `None` when it carried no code.
    CloseReceived {
        /// From whom.
        id: ConnectionId,
        /// What it said.
        frame: Option<CloseFrame>,
    },
    /// The client broke RFC 6455 or a size limit.
    Violated {
        /// Who.
        id: ConnectionId,
        /// How, with the close code that goes out.
        violation: Violation,
    },
    /// The outbox of this connection is over its bound: [`Overflow::Close`](crate::protocol::Overflow::Close).
    Overflowed {
        /// Whose.
        id: ConnectionId,
    },
    /// The outbox of this connection has reached its bound: [`Overflow::Pause`](crate::protocol::Overflow::Pause).
    /// Reported before anything else is told to the engine.
    Full {
        /// Whose.
        id: ConnectionId,
    },
    /// After `Full`: less than the bound waits.
    Drained {
        /// Whose.
        id: ConnectionId,
    },
    /// The outbox of this connection has dropped messages, because its client reads too slowly
    /// ([`Outbox::take_dropped`](crate::protocol::Outbox::take_dropped)).
    Dropped {
        /// Whose.
        id: ConnectionId,
        /// How many.
        messages: usize,
    },
    /// The transport is gone: end of stream, reset, or dropped after
    /// [`Effect::Disconnect`](crate::Effect::Disconnect). Reported exactly once per accepted connection.
    Disconnected {
        /// Which connection.
        id: ConnectionId,
    },
    /// A hook finished.
    Answer {
        /// From [`Effect::Call`](crate::Effect::Call).
        call: CallId,
        /// What came of it.
        answer: Answer,
    },
    /// Something happened to an outgoing connection.
    Upstream {
        /// From [`Effect::Dial`](crate::Effect::Dial).
        upstream: UpstreamId,
        /// What.
        event: UpstreamEvent,
    },
    /// A value for a feed; unknown feeds take none.
    Publish {
        /// Its name.
        feed: String,
        /// What everyone is told.
        value: Value,
    },
    /// A file was read, or could not be.
    File {
        /// The feed of [`Effect::ReadFile`](crate::Effect::ReadFile).
        feed: String,
        /// The whole file, or what went wrong.
        content: Result<Bytes, String>,
    },
    /// The server goes down: no new connections, `frame` to all, whoever remains after `grace` is dropped.
    Shutdown {
        /// 1001 when the process ends, 1012 when it comes back.
        frame: CloseFrame,
        /// How long clients may take.
        grace: Duration,
    },
}

/// Where a host's own application has mounted a route, and what it knows of a client that asks there.
#[derive(Clone, Debug, Default)]
pub struct Mounted {
    /// The route's place among all.
    pub route: usize,
    /// What the parts of the application's own path stand for.
    pub params: Params,
    /// What the application knows about the client, as its `authData`. What the route's own authentication says, if it
    /// says anything, comes instead.
    pub auth_data: Value,
    /// The application's own data for the connection: its [`extensions`](crate::Connection::metadata) from the start.
    pub extensions: http::Extensions,
}
