//! What a host reports to the engine.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::cluster::BackplaneInput;
use crate::control::SocketCounts;
use crate::interface::connection_id::ConnectionId;
use crate::interface::file_part::{FilePart, ReadId};
use crate::interface::hook::{Answer, CallId};
use crate::interface::upstream::{UpstreamEvent, UpstreamId};
use crate::message::{CloseFrame, Message};
use crate::protocol::Violation;
use crate::routing::pattern::Params;

/// An event. Hosts report each one as it comes; the engine keeps the order per connection.
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
    /// after its 101. Report it before the client can read the 101, so that the client misses nothing from then on.
    Opened {
        /// The connection.
        id: ConnectionId,
    },
    /// A whole message came.
    Message {
        /// The connection.
        id: ConnectionId,
        /// The message.
        message: Message,
    },
    /// A ping came.
    Ping {
        /// The connection.
        id: ConnectionId,
        /// At most 125 bytes.
        payload: Bytes,
    },
    /// A pong came.
    Pong {
        /// The connection.
        id: ConnectionId,
        /// At most 125 bytes.
        payload: Bytes,
    },
    /// A close frame came; `None` when it carried no code.
    CloseReceived {
        /// The connection.
        id: ConnectionId,
        /// The close frame.
        frame: Option<CloseFrame>,
    },
    /// The client broke RFC 6455 or a size limit.
    Violated {
        /// The connection.
        id: ConnectionId,
        /// What it did, with the close code for it.
        violation: Violation,
    },
    /// So many bytes of this connection are held until their message is complete
    /// ([`Reader::take_buffered`](crate::protocol::Reader::take_buffered)).
    Buffered {
        /// The connection.
        id: ConnectionId,
        /// How many now.
        bytes: usize,
    },
    /// The outbox of this connection is over its bound: [`Overflow::Close`](crate::protocol::Overflow::Close).
    Overflowed {
        /// The connection.
        id: ConnectionId,
    },
    /// The outbox of this connection has reached its bound: [`Overflow::Pause`](crate::protocol::Overflow::Pause).
    /// Report it before anything else.
    Full {
        /// The connection.
        id: ConnectionId,
    },
    /// After `Full`: less than the bound waits.
    Drained {
        /// The connection.
        id: ConnectionId,
    },
    /// The outbox of this connection has dropped messages, because its client reads too slowly
    /// ([`Outbox::take_dropped`](crate::protocol::Outbox::take_dropped)).
    Dropped {
        /// The connection.
        id: ConnectionId,
        /// How many.
        messages: usize,
    },
    /// The answer to [`Effect::ReportUnsent`](crate::Effect::ReportUnsent).
    Unsent {
        /// The connection.
        id: ConnectionId,
        /// How many bytes the client has not taken: those in the outbox, and those in the transport as far as the host
        /// can tell.
        bytes: usize,
    },
    /// What has passed on a connection in all. For the [control API](crate::control), while
    /// [it is on](crate::Engine::has_control), right before `Disconnected`.
    Counted {
        /// The connection.
        id: ConnectionId,
        /// What has passed.
        counts: Box<SocketCounts>,
    },
    /// The transport is gone: end of stream, reset, or dropped after
    /// [`Effect::Disconnect`](crate::Effect::Disconnect). Reported exactly once per accepted connection.
    Disconnected {
        /// The connection.
        id: ConnectionId,
    },
    /// A hook finished.
    Answer {
        /// From [`Effect::Call`](crate::Effect::Call).
        call: CallId,
        /// Its result.
        answer: Answer,
    },
    /// Something happened to an outgoing connection.
    Upstream {
        /// From [`Effect::Dial`](crate::Effect::Dial).
        upstream: UpstreamId,
        /// What happened.
        event: UpstreamEvent,
    },
    /// A value is published on a feed. Nothing happens if there is no such feed.
    Publish {
        /// Its name.
        feed: String,
        /// The value.
        value: Value,
    },
    /// A file was read, or could not be.
    File {
        /// The feed of [`Effect::ReadFile`](crate::Effect::ReadFile).
        feed: String,
        /// The file of that effect: another one may have been asked for since.
        file: String,
        /// The whole file, or what went wrong.
        content: Result<Bytes, String>,
    },
    /// A part of a file was read, or could not be.
    FilePart {
        /// From [`Effect::ReadFilePart`](crate::Effect::ReadFilePart).
        read: ReadId,
        /// The part, or what went wrong.
        content: Result<FilePart, String>,
    },
    /// A file was appended to, or could not be.
    Appended {
        /// The file of [`Effect::AppendFile`](crate::Effect::AppendFile).
        file: Arc<str>,
        /// How many bytes, of one effect or of several that were written together.
        bytes: usize,
        /// What went wrong, if anything did.
        result: Result<(), String>,
    },
    /// The client of the cluster's broker reports something. Nothing happens if the engine takes part in no cluster.
    Backplane(BackplaneInput),
    /// The server stops: it takes no new connections, sends `frame` to all, and drops those that remain after `grace`.
    Shutdown {
        /// 1001 when the process ends, 1012 when it comes back.
        frame: CloseFrame,
        /// How long clients may take.
        grace: Duration,
    },
}

/// The route that a host's own application has mounted, and what it knows about the client.
#[derive(Clone, Debug, Default)]
pub struct Mounted {
    /// The route's index.
    pub route: usize,
    /// What the parts of the application's own path stand for.
    pub params: Params,
    /// What the application knows about the client, as its `authData`. Data of the route's own authentication, if there
    /// is any, replaces it.
    pub auth_data: Value,
    /// The application's own data for the connection: its [`extensions`](crate::Connection::metadata) from the start.
    pub extensions: http::Extensions,
}
