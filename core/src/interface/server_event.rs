//! The server events of the dialect `commands`, of which the user's code can be told.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::interface::handler_error::HandlerError;
use crate::message::Text;

/// Something that happened on a route of the dialect `commands`. The host starts the server, so it tells of the start
/// itself.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ServerEvent {
    /// Somebody came.
    Connect(CommandsClient),
    /// Somebody went.
    Disconnect {
        /// By the id that others knew.
        client_id: String,
    },
    /// A text message came. Binary messages are not told.
    Receive {
        /// From whom.
        client_id: String,
        /// As it came.
        message: Text,
    },
    /// A message goes out.
    Send {
        /// As it goes out.
        message: Text,
        /// To whom.
        audience: CommandsAudience,
    },
    /// Something failed.
    Crash {
        /// While it was about this client.
        client_id: String,
        /// What went wrong.
        error: HandlerError,
    },
}

/// Somebody who is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandsClient {
    /// The id that others know.
    pub id: String,
    /// From authentication or the session. Default `Guest`.
    pub name: String,
    /// From authentication or the session, if it is known.
    pub email: Option<String>,
}

impl CommandsClient {
    pub(crate) fn new(id: String, name: String, email: Option<String>) -> Self {
        Self { id, name, email }
    }
}

/// Whom a message of the dialect `commands` is for; with neither it is for everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandsAudience {
    /// One client, by the id that others know.
    pub to: Option<String>,
    /// The subscribers of a channel.
    pub channel: Option<String>,
}

/// The server events by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ServerEventKind {
    /// Somebody came.
    Connect,
    /// Somebody went.
    Disconnect,
    /// A text message came.
    Receive,
    /// A message goes out.
    Send,
    /// Something failed.
    Crash,
}

impl ServerEvent {
    /// Which event it is.
    pub fn kind(&self) -> ServerEventKind {
        match self {
            ServerEvent::Connect(_) => ServerEventKind::Connect,
            ServerEvent::Disconnect { .. } => ServerEventKind::Disconnect,
            ServerEvent::Receive { .. } => ServerEventKind::Receive,
            ServerEvent::Send { .. } => ServerEventKind::Send,
            ServerEvent::Crash { .. } => ServerEventKind::Crash,
        }
    }
}

impl ServerEventKind {
    /// The event's name, as users write it.
    pub fn name(self) -> &'static str {
        match self {
            ServerEventKind::Connect => "connect",
            ServerEventKind::Disconnect => "disconnect",
            ServerEventKind::Receive => "receive",
            ServerEventKind::Send => "send",
            ServerEventKind::Crash => "crash",
        }
    }
}
