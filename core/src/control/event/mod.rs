//! What happens on a server, as subscribers of live events are told.

mod cause;
mod direction;
mod excerpt;
mod happening;
mod kind;
mod release;

use serde::Serialize;

use crate::contract::Violation;
use crate::dialect::replay::Difference;
use crate::message::Message;
pub(crate) use cause::Cause;
pub(crate) use direction::MessageDirection;
pub(crate) use excerpt::Excerpt;
pub(crate) use happening::{ControlFrame, Happening, Peer, What};
pub(crate) use kind::EventKind;
pub(crate) use release::Release;

/// One message of the WebSocket of live events. `at` is in ms since 1970; `sequence` counts events, so that those that were kept
/// and those that are told live can be put together; `route` is the pattern with its first prefix.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlEvent"))]
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
        /// How many events follow that happened before; left out where there are none.
        #[serde(skip_serializing_if = "is_zero")]
        recent: usize,
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
        /// Its place among all events of the server.
        sequence: u64,
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
        /// Its place among all events of the server.
        sequence: u64,
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
        /// Why, and what to change.
        reason: &'a str,
    },
    /// An upgrade that no route took: it was answered 404, or left to others, of whom nobody has answered.
    Unclaimed {
        /// When.
        at: u64,
        /// Its place among all events of the server.
        sequence: u64,
        /// The path that was asked for, without the query.
        path: &'a str,
        /// The HTTP status that it was answered; left out where nobody has answered.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// The path or pattern that is served and nearest to it, if one is near enough to be meant.
        #[serde(skip_serializing_if = "Option::is_none")]
        nearest: Option<&'a str>,
        /// What differs, and what to write.
        reason: &'a str,
    },
    /// A control frame came from a client, or was sent to one. Only for those who ask for this kind.
    Control {
        /// When.
        at: u64,
        /// Its place among all events of the server.
        sequence: u64,
        /// Which way.
        direction: MessageDirection,
        /// The connection.
        connection: &'a str,
        /// Its route.
        route: &'a str,
        /// The path of its opening handshake, without the query.
        path: &'a str,
        /// What frame it is.
        opcode: ControlOpcode,
        /// The payload of a ping or a pong, if it is text.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
        /// That payload in base64, if it is not.
        #[serde(skip_serializing_if = "Option::is_none")]
        binary: Option<String>,
        /// The code of a close frame that has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        /// The reason of a close frame that has a code.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    /// An open connection has ended, or begins to: nothing is sent to it any more.
    Closed {
        /// When.
        at: u64,
        /// Its place among all events of the server.
        sequence: u64,
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
        /// Its place among all events of the server.
        sequence: u64,
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
        /// The room whose members it was sent to, where it was sent to those of one.
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<&'a str>,
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
        /// Its place among all events of the server.
        sequence: u64,
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
        /// Its place among all events of the server.
        sequence: u64,
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
        /// Its place among all events of the server.
        sequence: u64,
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
        /// Its place among all events of the server.
        sequence: u64,
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
        /// Its place among all events of the server.
        sequence: u64,
        /// How important it is: `debug`, `info`, `warn` or `error`.
        level: &'static str,
        /// The line.
        text: &'a str,
    },
    /// A client sent what a recording or a scenario does not expect.
    Mismatch {
        /// When.
        at: u64,
        /// Its place among all events of the server.
        sequence: u64,
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
    /// A breakpoint holds a message.
    Held {
        /// When.
        at: u64,
        /// Its place among all events of the server.
        sequence: u64,
        /// Names the message, to decide about it.
        id: u64,
        /// The breakpoint.
        breakpoint: u64,
        /// The connection.
        connection: &'a str,
        /// Its route.
        route: &'a str,
        /// The path of its opening handshake, without the query.
        path: &'a str,
        /// Which way the message goes.
        direction: MessageDirection,
        /// When it goes on as it is, in ms since 1970, unless somebody decides before.
        until: u64,
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
    /// A message is no longer held.
    Released {
        /// When.
        at: u64,
        /// Its place among all events of the server.
        sequence: u64,
        /// What `held` has named it.
        id: u64,
        /// The breakpoint.
        breakpoint: u64,
        /// The connection.
        connection: &'a str,
        /// Its route.
        route: &'a str,
        /// The path of its opening handshake, without the query.
        path: &'a str,
        /// Which way the message goes.
        direction: MessageDirection,
        /// What has become of it.
        how: Release,
        /// The length of the payload that went on in its place, in bytes; only for `edited`, as what follows.
        #[serde(skip_serializing_if = "Option::is_none")]
        size: Option<usize>,
        /// That payload, if it is text, or the beginning of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
        /// That payload, if it is binary, or the beginning of it, in base64.
        #[serde(skip_serializing_if = "Option::is_none")]
        binary: Option<String>,
    },
}
/// What frame a control frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlOpcode"))]
pub(crate) enum ControlOpcode {
    /// A ping.
    Ping,
    /// The answer to one, or one that nobody has asked for.
    Pong,
    /// A close frame.
    Close,
}

/// One rule of a schema that a message breaks.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlViolation"))]
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

fn is_zero(count: &usize) -> bool {
    *count == 0
}
