//! What the engine asks its host to do.

use std::iter::Peekable;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use crate::cluster::BackplaneEffect;
use crate::interface::connection_id::ConnectionId;
use crate::interface::file_part::ReadId;
use crate::interface::hook::{CallId, Hook};
use crate::interface::upstream::{Dial, UpstreamId};
use crate::message::{CloseFrame, Message};
use crate::protocol::{Burst, Damage, Refusal, SocketOptions};
use crate::routing::pattern::Params;

/// An action for the host. Effects are carried out in the order in which the engine gives them.
///
/// # Flow
///
/// Four queues lie between a client and the other side of an outgoing connection, two in each direction. The engine
/// decides about all of them; the host reports what only it can know and stops or goes on reading.
///
/// | Queue | Held by | Bound | Beyond it | The host reports |
/// |---|---|---|---|---|
/// | from a client, before its handler | engine | `Limits::pending_messages`, 1 MiB | `Pause` until half is left | |
/// | to a client | host, in its [`Outbox`](crate::protocol::Outbox) | `RouteSettings::max_outbound` | by [`Overflow`](crate::protocol::Overflow): `Close` 1013; oldest dropped; `PauseUpstream`, or `Pause` without an upstream | `Overflowed`; `Dropped`; `Full`, `Drained` |
/// | to an upstream | host | [`Dial::max_queued`](crate::Dial) | its client's messages wait in the first queue until half is left | [`Sent`](crate::UpstreamEvent::Sent) |
/// | from an upstream, before the handler | engine | 256 messages, 1 MiB | `PauseUpstream` until half is left | |
///
/// A host reads and writes an outgoing connection independently, so that neither direction can stop the other.
#[derive(Clone, Debug)]
pub enum Effect {
    /// The upgrade is not for this server: leave the socket to other listeners. The id is free again.
    Ignore {
        /// The connection.
        id: ConnectionId,
    },
    /// Answer this instead of 101 and close the socket. The id is free again.
    Refuse {
        /// The connection.
        id: ConnectionId,
        /// The whole answer; [`encode`](Refusal::encode) makes its bytes.
        refusal: Box<Refusal>,
    },
    /// Make a [`WebSocket`](crate::protocol::WebSocket), report [`Input::Opened`](crate::Input::Opened), and answer
    /// 101 before anything else that is sent to it.
    Accept(Box<Accept>),
    /// Send one message to each of these; all are open.
    Send {
        /// Determined when the handler sent it: later joins do not matter.
        to: Recipients,
        /// The message, to be encoded once.
        message: Message,
    },
    /// Send a message in a frame that is broken on purpose
    /// ([`Writer::send_damaged`](crate::protocol::Writer::send_damaged)), in its place among the others.
    SendDamaged {
        /// The connection; it is open.
        id: ConnectionId,
        /// The message.
        message: Message,
        /// How its frame is broken.
        damage: Damage,
    },
    /// Send a ping.
    Ping {
        /// The connection.
        id: ConnectionId,
        /// At most 125 bytes.
        payload: Bytes,
    },
    /// Send a pong.
    Pong {
        /// The connection.
        id: ConnectionId,
        /// At most 125 bytes.
        payload: Bytes,
    },
    /// Send a close frame; `None` sends one without a code.
    Close {
        /// The connection.
        id: ConnectionId,
        /// The close frame.
        frame: Option<CloseFrame>,
    },
    /// Both close frames were sent, or no answer is needed: write what is queued, then close the transport.
    Disconnect {
        /// The connection.
        id: ConnectionId,
    },
    /// Report at once, as [`Input::Unsent`](crate::Input::Unsent), how much of what was sent the client has not taken. Its
    /// connection is being closed, and goes on as long as the client takes something.
    ReportUnsent {
        /// The connection.
        id: ConnectionId,
    },
    /// Drop the transport now, queued bytes included. The opening handshake may not have been answered yet: then it is not.
    Terminate {
        /// The connection.
        id: ConnectionId,
    },
    /// Stop reading this connection: its handler is far behind, or what waits for it has reached its bound.
    ///
    /// That the client has left may show only when it is read again: the end of its stream comes behind what it has sent. A
    /// reset shows earlier where something is being written to it.
    Pause {
        /// The connection.
        id: ConnectionId,
    },
    /// Read on.
    Resume {
        /// The connection.
        id: ConnectionId,
    },
    /// Run the user's code and report [`Input::Answer`](crate::Input::Answer).
    Call {
        /// The call.
        call: CallId,
        /// The connection.
        id: ConnectionId,
        /// Index of the route whose code it is.
        route: usize,
        /// The hook, with its arguments.
        hook: Hook,
    },
    /// The engine no longer waits for this call: stop the user's code, if that is possible. Its answer would be ignored.
    CancelCall {
        /// The call.
        call: CallId,
        /// The connection.
        id: ConnectionId,
    },
    /// Open an outgoing connection and report its events as [`Input::Upstream`](crate::Input::Upstream).
    Dial {
        /// The outgoing connection.
        upstream: UpstreamId,
        /// The URL, and the settings.
        dial: Box<Dial>,
    },
    /// Send a message on an outgoing connection.
    SendUpstream {
        /// Which one; it is open.
        upstream: UpstreamId,
        /// The message.
        message: Message,
    },
    /// Stop reading an outgoing connection. What was read already may still be reported.
    PauseUpstream {
        /// Which one; it is open.
        upstream: UpstreamId,
    },
    /// Read on.
    ResumeUpstream {
        /// The outgoing connection.
        upstream: UpstreamId,
    },
    /// Write what is queued on an outgoing connection that is open, then a close frame, and wait for the other side's.
    /// Its end has to be reported; other events of it are ignored.
    CloseUpstream {
        /// The outgoing connection.
        upstream: UpstreamId,
        /// The close frame; `None` sends no code, and 1006 no close frame at all: the transport is dropped when everything
        /// is written.
        frame: Option<CloseFrame>,
    },
    /// Drop an outgoing connection, open or not yet, with what is queued. Nothing of it has to be reported.
    TerminateUpstream {
        /// The outgoing connection.
        upstream: UpstreamId,
    },
    /// Read a file whole and report it as [`Input::File`](crate::Input::File).
    ReadFile {
        /// The feed.
        feed: String,
        /// Where it is, as the user wrote it.
        file: String,
    },
    /// Read a part of a file and report it as [`Input::FilePart`](crate::Input::FilePart).
    ReadFilePart {
        /// What to name in the report.
        read: ReadId,
        /// Where the file is, as the user wrote it.
        file: String,
        /// Where the part begins, in bytes.
        offset: u64,
        /// How many bytes to read, unless the file ends before. At most 1 MiB is asked for at a time.
        length: u32,
    },
    /// Append to a file, and report it as [`Input::Appended`](crate::Input::Appended). The file and its folders are made if
    /// they are not there. The bytes are whole lines: if the file ends in the middle of one, as after a crash, a line feed
    /// comes first. The bytes of one file are written in the order in which they come; those that come while others are being
    /// written may be written together.
    AppendFile {
        /// Where it is, as the user wrote it.
        file: Arc<str>,
        /// What to append.
        bytes: Bytes,
    },
    /// Something is to be done at the broker of the cluster. Only an engine that
    /// [takes part in one](crate::Engine::join_cluster) asks for it.
    Backplane(BackplaneEffect),
    /// The engine has forgotten this connection: its id is free again.
    Removed {
        /// The connection.
        id: ConnectionId,
    },
    /// A line for the log.
    Log {
        /// How important it is.
        level: Level,
        /// One line, for the person reading the terminal.
        text: String,
    },
}

/// What the host needs to open a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Accept {
    /// The connection.
    pub id: ConnectionId,
    /// The id that users see.
    pub public_id: Arc<str>,
    /// Index of the route that matched.
    pub route: usize,
    /// The 101 response.
    pub response: http::Response<()>,
    /// Limits, and what was negotiated.
    pub socket: SocketOptions,
    /// What the pattern's `{name}` parts stood for.
    pub params: Params,
    /// The subprotocol both sides agreed on.
    pub subprotocol: Option<Arc<str>>,
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the usual five")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Effect {
    /// Takes a message and those right after it in `effects` that are for the same recipients.
    pub fn gather(
        to: &Recipients,
        message: Message,
        effects: &mut Peekable<impl Iterator<Item = Effect>>,
    ) -> Burst {
        let mut burst = Burst::new(message, to.len());
        while burst.has_room()
            && let Some(Effect::Send { message, .. }) =
                effects.next_if(|next| matches!(next, Effect::Send { to: next, .. } if next == to))
        {
            burst.push(message);
        }
        burst
    }
}

/// The receivers of one message; most often there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// One connection.
    One(ConnectionId),
    /// Any number, each once.
    Many(Vec<ConnectionId>),
}

impl Deref for Recipients {
    type Target = [ConnectionId];

    fn deref(&self) -> &[ConnectionId] {
        match self {
            Recipients::One(id) => std::slice::from_ref(id),
            Recipients::Many(ids) => ids,
        }
    }
}
