//! Breakpoints and what they hold, and clients that are not read, as the control API takes and shows them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::body::{Target, given, message, target};
use super::event::{Excerpt, MessageDirection};
use crate::fault::breakpoint::{BreakpointDirection, Criteria, MessageKind};
use crate::message::Message;

/// How long a message is held, or a client is not read, where nothing else is asked for, in ms.
const USUAL_TIMEOUT: u64 = 60_000;

/// The longest of them, in ms.
const LONGEST_TIMEOUT: u64 = 600_000;

/// How much of each message a list shows, in bytes.
const SHOWN: usize = 4_096;

/// A breakpoint, which holds messages until somebody decides about them: all that pass a connection, a room, a route or
/// everyone, or those that are like what it says. Exactly one of `connection`, `route` and `everyone`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlAddBreakpoint"))]
pub(crate) struct AddBreakpoint {
    /// The connection with this id.
    connection: Option<String>,
    /// Everyone on the route with this pattern; if there is none, those whose whole path matches it.
    route: Option<String>,
    /// Beside `route`: only while they are in this room.
    room: Option<String>,
    /// All connections of the server.
    #[serde(default)]
    everyone: bool,
    /// Which way the messages go. Default `both`.
    #[serde(default)]
    direction: BreakpointDirection,
    /// Only messages of this kind. Default: both.
    kind: Option<MessageKind>,
    /// Only text messages with this in their first 64 KiB, at most 4096 bytes.
    contains: Option<String>,
    /// Only text messages of which this regular expression matches something in the first 64 KiB, at most 4096 bytes, in the
    /// syntax of the Rust crate regex.
    expression: Option<String>,
    /// After so many messages, at least 1, it ends. Default: it does not.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 1)))]
    limit: Option<u64>,
    /// For how long a message is held in ms, 1 to 600000; then it goes on as it is. Default 60000.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 1, max = 600_000)))]
    timeout: Option<u64>,
    /// Whether it stays when nobody is told live events. Otherwise it ends when there was no subscriber, and no request about
    /// breakpoints, for 10 s, so that a page that was closed stops no application. Default false.
    #[serde(default)]
    persist: bool,
}

impl AddBreakpoint {
    /// The connections.
    pub(crate) fn target(&self) -> Result<Target, String> {
        target(self.connection.clone(), self.route.clone(), self.room.clone(), self.everyone)
    }

    /// What the messages have to be like.
    pub(crate) fn criteria(&self) -> Result<Criteria, String> {
        Criteria::new(self.direction, self.kind, self.contains.as_deref(), self.expression.as_deref())
    }

    /// After how many messages it ends.
    pub(crate) fn limit(&self) -> Result<Option<u64>, String> {
        match self.limit {
            Some(0) => Err("limit: expected 1 or more, got 0".to_owned()),
            limit => Ok(limit),
        }
    }

    /// In ms.
    pub(crate) fn timeout(&self) -> Result<u64, String> {
        timeout(self.timeout)
    }

    /// Whether it stays.
    pub(crate) fn persist(&self) -> bool {
        self.persist
    }
}

/// What becomes of a message that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlHeldAction"))]
pub(crate) enum Action {
    /// It goes on.
    Pass,
    /// It goes no further.
    Drop,
}

/// What becomes of a message that is held. With one of `text`, `json` and `binary` that message goes on in its place.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlDecideHeld"))]
pub(crate) struct DecideHeld {
    /// `pass` or `drop`.
    action: Action,
    /// Beside `pass`: a text message instead.
    text: Option<String>,
    /// Beside `pass`: a text message of JSON instead.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(with = "Value"))]
    json: Option<Value>,
    /// Beside `pass`: a binary message instead, in base64.
    binary: Option<String>,
}

impl DecideHeld {
    /// What is done, and the message that takes its place.
    pub(crate) fn parts(self) -> Result<(Action, Option<Message>), String> {
        let Self { action, text, json, binary } = self;
        if text.is_none() && json.is_none() && binary.is_none() {
            return Ok((action, None));
        }
        match action {
            Action::Pass => message(text, json, binary).map(|message| (action, Some(message))),
            Action::Drop => {
                Err("what is dropped has no other message; write pass, or leave text, json and binary out"
                    .to_owned())
            }
        }
    }
}

/// What becomes of all messages that are held.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlDecideAllHeld"))]
pub(crate) struct DecideAllHeld {
    /// `pass` or `drop`.
    pub(crate) action: Action,
    /// Only those of the connection with this id. Default: of all.
    pub(crate) connection: Option<String>,
}

/// Which clients are not read for a time. Exactly one of `connection`, `route` and `everyone`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlPause"))]
pub(crate) struct Pause {
    /// The connection with this id.
    connection: Option<String>,
    /// Everyone on the route with this pattern.
    route: Option<String>,
    /// Beside `route`: only the members of this room.
    room: Option<String>,
    /// All connections of the server.
    #[serde(default)]
    everyone: bool,
    /// For how long in ms, 1 to 600000; then they are read again. Default 60000.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 1, max = 600_000)))]
    timeout: Option<u64>,
}

impl Pause {
    /// The connections, and for how long in ms.
    pub(crate) fn parts(self) -> Result<(Target, u64), String> {
        let timeout = timeout(self.timeout)?;
        Ok((target(self.connection, self.route, self.room, self.everyone)?, timeout))
    }
}

/// Which clients are read again. Exactly one of `connection`, `route` and `everyone`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlResume"))]
pub(crate) struct Resume {
    /// The connection with this id.
    connection: Option<String>,
    /// Everyone on the route with this pattern.
    route: Option<String>,
    /// Beside `route`: only the members of this room.
    room: Option<String>,
    /// All connections of the server.
    #[serde(default)]
    everyone: bool,
}

impl Resume {
    /// The connections.
    pub(crate) fn target(self) -> Result<Target, String> {
        target(self.connection, self.route, self.room, self.everyone)
    }
}

/// Breakpoints, and what is held.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlBreakpoints"))]
pub(crate) struct BreakpointsView {
    /// The breakpoints, in the order in which they were added.
    pub(crate) breakpoints: Vec<BreakpointView>,
    /// The messages that are held, the oldest first.
    pub(crate) held: Vec<HeldView>,
}

/// One breakpoint.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlBreakpoint"))]
pub(crate) struct BreakpointView {
    /// Names it, to take it back.
    pub(crate) id: u64,
    /// The connection that it is for, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// The route or the pattern of paths, if it is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    /// The room, if it is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    /// Which way the messages go.
    direction: BreakpointDirection,
    /// The kind of messages, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<MessageKind>,
    /// What their text contains, if that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    /// What matches their text, if that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<String>,
    /// After how many messages it ends, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// For how long each message is held, in ms.
    timeout: u64,
    /// Whether it stays when nobody is told live events.
    persist: bool,
    /// How many messages it has held.
    pub(crate) caught: u64,
    /// How many messages went on as too much was held: at most 1000 messages are, and 16 MiB.
    pub(crate) missed: u64,
}

impl BreakpointView {
    /// A breakpoint as it was asked for.
    pub(crate) fn of(id: u64, added: AddBreakpoint, timeout: u64) -> Self {
        let AddBreakpoint {
            connection,
            route,
            room,
            direction,
            kind,
            contains,
            expression,
            limit,
            persist,
            ..
        } = added;
        Self {
            id,
            connection,
            route,
            room,
            direction,
            kind,
            contains,
            expression,
            limit,
            timeout,
            persist,
            caught: 0,
            missed: 0,
        }
    }
}

/// A message that a breakpoint holds.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlHeld"))]
pub(crate) struct HeldView {
    /// Names it, to decide about it.
    pub(crate) id: u64,
    /// The breakpoint, which may have ended since.
    pub(crate) breakpoint: u64,
    /// The connection.
    pub(crate) connection: String,
    /// Its route: the pattern with its first prefix.
    pub(crate) route: String,
    /// The path of its opening handshake, without the query.
    pub(crate) path: String,
    /// Which way the message goes.
    pub(crate) direction: MessageDirection,
    /// Since when it is held, in ms since 1970.
    pub(crate) at: u64,
    /// When it goes on as it is, in ms since 1970, unless somebody decides before.
    pub(crate) until: u64,
    /// The length of the payload in bytes.
    pub(crate) size: usize,
    /// The payload of a text message, in lists its first 4096 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// The payload of a binary message in base64, in lists its first 4096 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) binary: Option<String>,
    /// Whether only the beginning is shown.
    pub(crate) is_cut: bool,
}

impl HeldView {
    /// Shows the payload: all of it, or the beginning.
    pub(crate) fn with(mut self, message: &Message, is_whole: bool) -> Self {
        let excerpt = Excerpt::of(message, if is_whole { message.len() } else { SHOWN });
        (self.text, self.binary) = (excerpt.text.map(str::to_owned), excerpt.binary);
        (self.size, self.is_cut) = (message.len(), excerpt.is_cut);
        self
    }
}

fn timeout(ms: Option<u64>) -> Result<u64, String> {
    match ms.unwrap_or(USUAL_TIMEOUT) {
        ms @ 1..=LONGEST_TIMEOUT => Ok(ms),
        other => Err(format!("timeout: expected 1 to {LONGEST_TIMEOUT} ms, got {other}")),
    }
}
