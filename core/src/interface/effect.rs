//! What the engine asks of its host.

use std::iter::Peekable;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use crate::interface::connection_id::ConnectionId;
use crate::interface::hook::{CallId, Hook};
use crate::interface::upstream::{Dial, UpstreamId};
use crate::message::{CloseFrame, Message};
use crate::protocol::{Burst, Refusal, SocketOptions};
use crate::routing::pattern::Params;

/// One thing for the host to do. Effects are done in the order in which they stand.
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
    /// This upgrade is not ours: leave the socket to whoever else listens. The id is free again.
    Ignore {
        /// Which upgrade.
        id: ConnectionId,
    },
    /// Answer this instead of 101 and close the socket. The id is free again.
    Refuse {
        /// Which upgrade.
        id: ConnectionId,
        /// The whole answer; [`encode`](Refusal::encode) makes its bytes.
        refusal: Box<Refusal>,
    },
    /// Make a [`WebSocket`](crate::protocol::WebSocket), report [`Input::Opened`](crate::Input::Opened), and answer
    /// 101 before anything else that is sent to it.
    Accept(Box<Accept>),
    /// Send one message to each of these; all are open.
    Send {
        /// Resolved when the handler spoke, so later joins do not matter.
        to: Recipients,
        /// Encode it once.
        message: Message,
    },
    /// Send a ping.
    Ping {
        /// To whom.
        id: ConnectionId,
        /// At most 125 bytes.
        payload: Bytes,
    },
    /// Send a pong.
    Pong {
        /// To whom.
        id: ConnectionId,
        /// At most 125 bytes.
        payload: Bytes,
    },
    /// Send a close frame; `None` sends one without a code.
    Close {
        /// To whom.
        id: ConnectionId,
        /// What it says.
        frame: Option<CloseFrame>,
    },
    /// Both close frames are through, or no answer is wanted: write what is queued, then close the transport.
    Disconnect {
        /// Whose.
        id: ConnectionId,
    },
    /// Drop the transport now, queued bytes included.
    Terminate {
        /// Whose.
        id: ConnectionId,
    },
    /// Stop reading this connection: its handler is far behind.
    Pause {
        /// Whose.
        id: ConnectionId,
    },
    /// Read on.
    Resume {
        /// Whose.
        id: ConnectionId,
    },
    /// Run the user's code and report [`Input::Answer`](crate::Input::Answer).
    Call {
        /// Names the answer.
        call: CallId,
        /// For which connection.
        id: ConnectionId,
        /// Index of the route whose code it is.
        route: usize,
        /// Which code, with its arguments.
        hook: Hook,
    },
    /// Nobody waits for this call any more: stop the user's code, if it can be stopped. Its answer would be ignored.
    CancelCall {
        /// Which one.
        call: CallId,
        /// For which connection.
        id: ConnectionId,
    },
    /// Open an outgoing connection and report what becomes of it as
    /// [`Input::Upstream`](crate::Input::Upstream).
    Dial {
        /// Names it.
        upstream: UpstreamId,
        /// Where to and how.
        dial: Box<Dial>,
    },
    /// Send a message on an outgoing connection.
    SendUpstream {
        /// Which one; it is open.
        upstream: UpstreamId,
        /// What.
        message: Message,
    },
    /// Stop reading an outgoing connection. What was read already may still be reported.
    PauseUpstream {
        /// Which one; it is open.
        upstream: UpstreamId,
    },
    /// Read on.
    ResumeUpstream {
        /// Which one.
        upstream: UpstreamId,
    },
    /// Write what is queued on an outgoing connection that is open, then a close frame, and wait for the other side's.
    /// Its end has to be reported; nothing else of it will be listened to.
    CloseUpstream {
        /// Which one.
        upstream: UpstreamId,
        /// What the close frame says; `None` sends no code, and 1006 no close frame at all: the transport is dropped
        /// when everything is written.
        frame: Option<CloseFrame>,
    },
    /// Drop an outgoing connection, open or not yet, with what is queued. Nothing of it has to be reported.
    TerminateUpstream {
        /// Which one.
        upstream: UpstreamId,
    },
    /// Read a file whole and report it as [`Input::File`](crate::Input::File).
    ReadFile {
        /// For which feed.
        feed: String,
        /// Where it is, as the user wrote it.
        file: String,
    },
    /// The engine has forgotten this connection: its id is free again.
    Removed {
        /// Which connection.
        id: ConnectionId,
    },
    /// A line for the log.
    Log {
        /// How loud.
        level: Level,
        /// One line, for the person reading the terminal.
        text: String,
    },
}

/// What the host needs to open a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Accept {
    /// Which connection.
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

/// How loud a log line is.
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
    /// A message and those for the same recipients that stand right behind it in `effects`, which it takes out.
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
