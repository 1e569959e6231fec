//! The server events of the dialect `commands`, for callbacks.

use serde::Deserialize;

use crate::interface::handler_error::HandlerError;
use crate::message::Text;

/// An event on a route of the dialect `commands`. The start of the server is not among them, as the host reports that
/// itself.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client has connected.
    Connect(CommandsClient),
    /// A client has disconnected.
    Disconnect {
        /// The client's id.
        client_id: String,
    },
    /// A text message came. There is no event for binary messages.
    Receive {
        /// From whom.
        client_id: String,
        /// As it came.
        message: Text,
    },
    /// A message is sent.
    Send {
        /// The text, as it is sent.
        message: Text,
        /// The receivers.
        audience: CommandsAudience,
    },
    /// Something failed.
    Crash {
        /// The client for which it failed.
        client_id: String,
        /// What went wrong.
        error: HandlerError,
    },
}

/// A connected client.
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

/// The receivers of a message of the dialect `commands`; with neither it is for everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandsAudience {
    /// One client, by the id that others know.
    pub to: Option<String>,
    /// The subscribers of a channel.
    pub channel: Option<String>,
}

/// The server events by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ServerEventKind {
    /// A client has connected.
    Connect,
    /// A client has disconnected.
    Disconnect,
    /// A text message came.
    Receive,
    /// A message is sent.
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
