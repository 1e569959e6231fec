//! What happens on a server, as subscribers of live events are told.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Violation;
use crate::dialect::replay::{Difference, Mismatch};
use crate::interface::close_cause::CloseCause;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Level;
use crate::message::Message;

/// One thing that happened, before it is known who is told.
#[derive(Clone, Debug)]
pub(crate) struct Happening {
    /// The index of the route.
    pub(crate) route: Option<usize>,
    /// The connection, unless it is about several or none.
    pub(crate) peer: Option<Peer>,
    /// Who else it is about: the receivers of a broadcast.
    pub(crate) receivers: Vec<ConnectionId>,
    pub(crate) what: What,
}

/// A connection that something happened to.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) id: ConnectionId,
    pub(crate) public_id: Arc<str>,
    pub(crate) path: String,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Opened { address: Option<String>, subprotocol: Option<Arc<str>> },
    Refused { path: String, status: Option<u16>, code: Option<u16>, reason: String },
    Closed { code: u16, reason: String, cause: CloseCause },
    Message { direction: MessageDirection, message: Message, receivers: usize },
    Joined { room: Arc<str> },
    Left { room: Arc<str> },
    Failed { step: &'static str, error: String },
    Violated { direction: MessageDirection, is_refused: bool, violations: Vec<Violation>, receivers: usize },
    Logged { level: Level, text: String },
    Mismatch(Box<Mismatch>),
}

impl What {
    pub(crate) fn kind(&self) -> EventKind {
        match self {
            What::Opened { .. } => EventKind::Opened,
            What::Refused { .. } => EventKind::Refused,
            What::Closed { .. } => EventKind::Closed,
            What::Message { .. } => EventKind::Message,
            What::Joined { .. } => EventKind::Joined,
            What::Left { .. } => EventKind::Left,
            What::Failed { .. } => EventKind::Error,
            What::Violated { .. } => EventKind::Violation,
            What::Logged { .. } => EventKind::Log,
            What::Mismatch(_) => EventKind::Mismatch,
        }
    }
}

/// The kinds of events that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ControlEventKind")]
pub(crate) enum EventKind {
    Opened,
    Refused,
    Closed,
    Message,
    Joined,
    Left,
    Error,
    Violation,
    Log,
    Mismatch,
}

impl EventKind {
    pub(crate) const ALL: [EventKind; 10] = [
        EventKind::Opened,
        EventKind::Refused,
        EventKind::Closed,
        EventKind::Message,
        EventKind::Joined,
        EventKind::Left,
        EventKind::Error,
        EventKind::Violation,
        EventKind::Log,
        EventKind::Mismatch,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            EventKind::Opened => "opened",
            EventKind::Refused => "refused",
            EventKind::Closed => "closed",
            EventKind::Message => "message",
            EventKind::Joined => "joined",
            EventKind::Left => "left",
            EventKind::Error => "error",
            EventKind::Violation => "violation",
            EventKind::Log => "log",
            EventKind::Mismatch => "mismatch",
        }
    }
}

/// Which way a message goes, as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ControlMessageDirection")]
pub(crate) enum MessageDirection {
    /// From a client.
    In,
    /// To clients.
    Out,
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ControlCloseCause")]
pub(crate) enum Cause {
    /// The client sent a close frame first.
    Client,
    /// The server closed it: a handler, a timer, a limit, a protocol violation, a shutdown, or this API.
    Server,
    /// The transport ended without a close frame.
    Lost,
}

impl From<CloseCause> for Cause {
    fn from(cause: CloseCause) -> Self {
        match cause {
            CloseCause::Client => Cause::Client,
            CloseCause::Server => Cause::Server,
            CloseCause::Lost => Cause::Lost,
        }
    }
}

/// One message of the WebSocket of live events. `at` is in ms since 1970; `route` is the pattern with its first prefix.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[schemars(rename = "ControlEvent")]
pub(crate) enum Event<'a> {
    /// The first message, and the answer to `subscribe`: what is told from now on.
    Subscribed {
        /// The kinds of events.
        kinds: &'a [EventKind],
        /// The route, if events of one route alone are told.
        #[serde(skip_serializing_if = "Option::is_none")]
        route: Option<&'a str>,
        /// The connection, if events of one connection alone are told.
        #[serde(skip_serializing_if = "Option::is_none")]
        connection: Option<&'a str>,
        /// How much of a message is shown, in bytes.
        payload_bytes: usize,
    },
    /// Events were left out, as the subscriber reads too slowly.
    Missed {
        /// How many.
        count: u64,
    },
    /// What the subscriber sent is not understood, and nothing has changed.
    Rejected {
        /// What is wrong with it, and what to write.
        error: &'a str,
    },
    /// A connection has opened.
    Opened {
        /// When.
        at: u64,
        /// Its id.
        connection: &'a str,
        /// Its route.
        route: &'a str,
        /// The path of its opening handshake, without the query.
        path: &'a str,
        /// The client's address, if the host knows it.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<&'a str>,
        /// The subprotocol both sides agreed on.
        #[serde(skip_serializing_if = "Option::is_none")]
        subprotocol: Option<&'a str>,
    },
    /// A client was not let in.
    Refused {
        /// When.
        at: u64,
        /// The path that it asked for, without the query.
        path: &'a str,
        /// The route that it would have been on, if there is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        route: Option<&'a str>,
        /// The HTTP status that it was answered.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Or the close code that followed the 101 at once.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        /// Why.
        reason: &'a str,
    },
    /// An open connection has ended, or begins to: nothing is sent to it any more.
    Closed {
        /// When.
        at: u64,
        /// Its id.
        connection: &'a str,
        /// Its route.
        route: &'a str,
        /// The path of its opening handshake, without the query.
        path: &'a str,
        /// The close code; 1005: none was sent, 1006: there was no close frame.
        code: u16,
        /// The close reason.
        reason: &'a str,
        /// Who ended it.
        cause: Cause,
    },
    /// A message came from a client, or was sent to one or several.
    Message {
        /// When.
        at: u64,
        /// Which way.
        direction: MessageDirection,
        /// The connection, unless the message went to several.
        #[serde(skip_serializing_if = "Option::is_none")]
        connection: Option<&'a str>,
        /// The route.
        route: &'a str,
        /// The path of the connection, unless the message went to several.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<&'a str>,
        /// To how many it was sent; 1 for one that came.
        receivers: usize,
        /// The length of the payload in bytes.
        size: usize,
        /// The payload of a text message, or the beginning of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
        /// The payload of a binary message, or the beginning of it, in base64.
        #[serde(skip_serializing_if = "Option::is_none")]
        binary: Option<String>,
        /// Whether only the beginning is shown.
        is_cut: bool,
    },
    /// A connection has joined a room.
    Joined {
        /// When.
        at: u64,
        /// Its id.
        connection: &'a str,
        /// Its route.
        route: &'a str,
        /// The room.
        room: &'a str,
    },
    /// A connection has left a room. A connection that ends leaves all of its rooms without this.
    Left {
        /// When.
        at: u64,
        /// Its id.
        connection: &'a str,
        /// Its route.
        route: &'a str,
        /// The room.
        room: &'a str,
    },
    /// A handler or a callback has failed.
    Error {
        /// When.
        at: u64,
        /// The connection that it was working for.
        connection: &'a str,
        /// Its route.
        route: &'a str,
        /// The path of its opening handshake, without the query.
        path: &'a str,
        /// What failed, such as `onMessage`.
        step: &'a str,
        /// What it said, with the stack where there is one.
        error: &'a str,
    },
    /// A message breaks the contract of its route.
    Violation {
        /// When.
        at: u64,
        /// Which way the message goes.
        direction: MessageDirection,
        /// The connection, unless the message is for several.
        #[serde(skip_serializing_if = "Option::is_none")]
        connection: Option<&'a str>,
        /// The route.
        route: &'a str,
        /// The path of the connection, unless the message is for several.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<&'a str>,
        /// For how many connections it is; 1 for one that came.
        receivers: usize,
        /// Whether it went no further. Otherwise it was passed on.
        is_refused: bool,
        /// What is wrong with it, at most 10 entries.
        violations: Vec<ViolationView<'a>>,
    },
    /// A line of the server's log.
    Log {
        /// When.
        at: u64,
        /// How important it is: `debug`, `info`, `warn` or `error`.
        level: &'static str,
        /// The line.
        text: &'a str,
    },
    /// A client sent what a recording or a scenario does not expect.
    Mismatch {
        /// When.
        at: u64,
        /// The connection.
        connection: &'a str,
        /// Its route.
        route: &'a str,
        /// The path of its opening handshake, without the query.
        path: &'a str,
        /// Where the expected message stands, such as `session.jsonl line 7` or `routes[0].scenario[2]`.
        place: &'a str,
        /// What was expected, in short; left out where nothing more was.
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<&'a str>,
        /// What came, in short.
        got: &'a str,
        /// What differs.
        differences: &'a [Difference],
        /// All of it in one line.
        text: String,
    },
}

/// One rule of a schema that a message breaks.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ControlViolation")]
pub(crate) struct ViolationView<'a> {
    /// Where in the message, such as `bids[0].price`; empty for the whole of it.
    path: &'a str,
    /// The keyword of the schema, such as `required`.
    keyword: &'a str,
    /// Where the keyword stands in the schema, such as `#/properties/bids/items/required`.
    schema: &'a str,
    /// What was expected, and what there is instead.
    message: &'a str,
}

impl<'a> From<&'a Violation> for ViolationView<'a> {
    fn from(Violation { path, keyword, schema, message }: &'a Violation) -> Self {
        Self { path, keyword, schema, message }
    }
}

impl Event<'_> {
    /// The event as it is sent.
    pub(crate) fn message(&self) -> Message {
        // Names are text and nothing has a `Serialize` of its own, so this cannot fail.
        Message::json(self).unwrap_or_else(|_| Message::from("{}"))
    }
}

impl Happening {
    /// The message for a subscriber that is shown so many bytes of a payload. `label` is the route's.
    pub(crate) fn told(&self, at: u64, label: &str, payload_bytes: usize) -> Message {
        let (connection, path) =
            self.peer.as_ref().map_or(("", ""), |peer| (&*peer.public_id, peer.path.as_str()));
        let route = label;
        match &self.what {
            What::Opened { address, subprotocol } => {
                let (address, subprotocol) = (address.as_deref(), subprotocol.as_deref());
                Event::Opened { at, connection, route, path, address, subprotocol }
            }
            What::Refused { path, status, code, reason } => {
                let route = self.route.map(|_| route);
                Event::Refused { at, path, route, status: *status, code: *code, reason }
            }
            What::Closed { code, reason, cause } => {
                let (code, cause) = (*code, Cause::from(*cause));
                Event::Closed { at, connection, route, path, code, reason, cause }
            }
            What::Message { direction, message, receivers } => {
                let peer = self.peer.as_ref();
                let shown = payload_bytes.min(message.len());
                let text = message.as_text().map(|text| &text[..text.floor_char_boundary(shown)]);
                let binary = text.is_none().then(|| STANDARD.encode(&message.payload()[..shown]));
                Event::Message {
                    at,
                    direction: *direction,
                    connection: peer.map(|_| connection),
                    route,
                    path: peer.map(|_| path),
                    receivers: *receivers,
                    size: message.len(),
                    text,
                    binary,
                    is_cut: shown < message.len(),
                }
            }
            What::Joined { room } => Event::Joined { at, connection, route, room },
            What::Left { room } => Event::Left { at, connection, route, room },
            What::Failed { step, error } => {
                let error = beginning(error);
                Event::Error { at, connection, route, path, step, error }
            }
            What::Violated { direction, is_refused, violations, receivers } => {
                let peer = self.peer.as_ref();
                Event::Violation {
                    at,
                    direction: *direction,
                    connection: peer.map(|_| connection),
                    route,
                    path: peer.map(|_| path),
                    receivers: *receivers,
                    is_refused: *is_refused,
                    violations: violations.iter().map(ViolationView::from).collect(),
                }
            }
            What::Logged { level, text } => {
                Event::Log { at, level: level_name(*level), text: beginning(text) }
            }
            What::Mismatch(mismatch) => {
                let Mismatch { place, expected, got, differences } = &**mismatch;
                let text = mismatch.to_string();
                let (place, expected) = (place.as_str(), expected.as_deref());
                Event::Mismatch { at, connection, route, path, place, expected, got, differences, text }
            }
        }
        .message()
    }
}

/// The beginning of what user code says.
fn beginning(text: &str) -> &str {
    const SHOWN: usize = 8_192;
    &text[..text.floor_char_boundary(SHOWN)]
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}
