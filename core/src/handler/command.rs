//! Commands of user code as data: what [`Context`](crate::Context) offers to handlers, for use by a host.

use std::time::Duration;

use bytes::Bytes;

use crate::message::Message;

/// A command of user code for a connection, such as `conn.send(…)` between two awaits.
/// [`Engine::command`](crate::Engine::command) carries it out at once.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Send to this connection.
    Send(Message),
    /// Send to others on the route.
    Broadcast {
        /// The message.
        message: Message,
        /// To the members of any of these rooms; `None`: to everyone on the route.
        rooms: Option<Vec<String>>,
        /// Also to this connection, if it is among them. The default of users' APIs is false.
        include_self: bool,
    },
    /// Send to the members of all rooms that this connection is in; without rooms, to everyone on the route.
    BroadcastAllRooms {
        /// The message.
        message: Message,
        /// Also to this connection.
        include_self: bool,
    },
    /// Join a room.
    Join(String),
    /// Leave a room.
    Leave(String),
    /// Take part in the route's history from now on, and get what was missed: [`Context::recover`](crate::Context::recover).
    Recover {
        /// The room, which is joined; empty: everyone on the route.
        room: String,
        /// The last position that the client was told there; `None` or empty: it was told none.
        position: Option<String>,
    },
    /// Send a ping of at most 125 bytes.
    Ping(Bytes),
    /// Send an unsolicited pong of at most 125 bytes.
    Pong(Bytes),
    /// Start the closing handshake; `None` sends no code. The reason is cut at 123 bytes.
    Close {
        /// 1000–1003, 1007–1014 or 3000–4999.
        code: Option<u16>,
        /// The close reason.
        reason: String,
    },
    /// Drop the connection without a close frame; the client sees 1006.
    Terminate,
    /// Ping in this interval; `None` or zero stops.
    Heartbeat(Option<Duration>),
    /// Close after so much silence; `None` or zero stops.
    InactivityTimeout(Option<Duration>),
    /// Reset the number of missed pongs.
    ResetMissedPongs,
}

/// A command of user code for a whole route, such as `route.send(…)` outside of any callback.
/// [`Engine::route_command`](crate::Engine::route_command) carries it out at once.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RouteCommand {
    /// Send to everyone on the route, as it is, whatever the route's dialect.
    Send {
        /// The message.
        message: Message,
        /// Only to the members of this room; `None`: to everyone.
        room: Option<String>,
    },
    /// Start the closing handshake with everyone on the route. Newcomers are let in as before.
    Close {
        /// 1000–1003, 1007–1014 or 3000–4999.
        code: u16,
        /// Why; cut at 123 bytes.
        reason: String,
        /// Only with the members of this room; `None`: with everyone.
        room: Option<String>,
    },
}

/// Why a [`Command`] was not carried out. The connection is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// A message came too late: the connection is closing or gone. Other commands do nothing then.
    #[error("the connection is closed")]
    Closed,
    /// A code that must not be sent.
    #[error("close code {0} cannot be sent; use 1000-1003, 1007-1014 or 3000-4999")]
    CloseCode(u16),
    /// A control frame carries at most 125 bytes.
    #[error("a ping or pong carries at most 125 bytes, not {0}")]
    ControlPayload(usize),
    /// The name is longer than `limits.roomNameBytes`.
    #[error("a room name has at most {limit} bytes, not {length}")]
    RoomName {
        /// What it has.
        length: usize,
        /// What it may have.
        limit: usize,
    },
    /// The connection is in `limits.roomsPerConnection` rooms already.
    #[error("a connection can be in at most {0} rooms")]
    TooManyRooms(usize),
    /// There is nothing to recover from.
    #[error("this route keeps no history; give it the option history, such as history: {{}}")]
    NoHistory,
    /// The dialect says who takes part in the history: Phoenix by the payload of a join.
    #[error(
        "on this route clients take part in the history by the payload of their join: {{\"switchboard-history\": true}}"
    )]
    HistoryOfJoins,
}
