//! How each kind of line is written. The parser, the writer and the JSON Schema are all made from these types.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One line of a recording of Switchboard: the header, or an event.
#[cfg(feature = "json-schema")]
#[derive(schemars::JsonSchema)]
#[serde(untagged)]
#[schemars(title = "A line of a recording")]
#[expect(dead_code, reason = "the schema of all lines; a line is read as what it says that it is")]
pub(super) enum Form<'a> {
    Header(HeaderForm<'a>),
    Open(OpenForm<'a>),
    Refuse(RefuseForm<'a>),
    Message(MessageForm<'a>),
    Close(CloseForm<'a>),
    Fault(FaultForm<'a>),
    Gap(GapForm<'a>),
}

/// The first line. Another one later in the file begins another run, in which `at` and `connection` start anew.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "RecordingHeader"))]
pub(super) struct HeaderForm<'a> {
    /// Says that the file is a recording.
    #[cfg_attr(feature = "json-schema", schemars(with = "String", extend("const" = "recording")))]
    pub(super) switchboard: Cow<'a, str>,
    /// The version of the format.
    #[cfg_attr(feature = "json-schema", schemars(extend("const" = 1)))]
    pub(super) version: u64,
    /// When the recording began, in RFC 3339: `2026-11-22T05:00:00.000Z`.
    pub(super) started_at: Cow<'a, str>,
    /// What was recorded: the URL of the server, or the pattern of the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<Cow<'a, str>>,
}

/// A client opened a connection, and the server accepted it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "RecordedOpen"))]
pub(super) struct OpenForm<'a> {
    /// When, in ms since `startedAt`.
    #[cfg_attr(feature = "json-schema", schemars(with = "f64", range(min = 0)))]
    pub(super) at: At,
    /// The connection, counted from 1.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 1)))]
    pub(super) connection: u64,
    /// Says that it is an opening.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "json-schema", schemars(with = "String", extend("const" = "open")))]
    pub(super) kind: Cow<'a, str>,
    /// The path with its query.
    pub(super) path: Cow<'a, str>,
    /// The request's headers: pairs of name and value.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) headers: Cow<'a, [(String, String)]>,
    /// The status of the response. Default 101.
    #[serde(default = "switching_protocols")]
    #[cfg_attr(feature = "json-schema", schemars(range(min = 100, max = 999)))]
    pub(super) status: u16,
    /// The subprotocol that the server chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subprotocol: Option<Cow<'a, str>>,
    /// The response's headers: pairs of name and value.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) response_headers: Cow<'a, [(String, String)]>,
}

/// A client asked for a connection, and the server refused it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "RecordedRefuse"))]
pub(super) struct RefuseForm<'a> {
    /// When, in ms since `startedAt`.
    #[cfg_attr(feature = "json-schema", schemars(with = "f64", range(min = 0)))]
    pub(super) at: At,
    /// The connection, counted from 1.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 1)))]
    pub(super) connection: u64,
    /// Says that it is a refusal.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "json-schema", schemars(with = "String", extend("const" = "refuse")))]
    pub(super) kind: Cow<'a, str>,
    /// The path with its query.
    pub(super) path: Cow<'a, str>,
    /// The request's headers: pairs of name and value.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) headers: Cow<'a, [(String, String)]>,
    /// The status of the response.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 100, max = 999)))]
    pub(super) status: u16,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub(super) reason: Cow<'a, str>,
}

/// A message passed. It has exactly one of `json`, `text` and `binary`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(
    rename = "RecordedMessage",
    extend("oneOf" = [{"required": ["json"]}, {"required": ["text"]}, {"required": ["binary"]}])
))]
pub(super) struct MessageForm<'a> {
    /// When, in ms since `startedAt`.
    #[cfg_attr(feature = "json-schema", schemars(with = "f64", range(min = 0)))]
    pub(super) at: At,
    /// The connection, counted from 1.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 1)))]
    pub(super) connection: u64,
    /// Says that it is a message.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "json-schema", schemars(with = "String", extend("const" = "message")))]
    pub(super) kind: Cow<'a, str>,
    /// Who sent it.
    pub(super) from: Sender,
    /// The text of a text message that is JSON, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none", borrow, deserialize_with = "present")]
    #[cfg_attr(feature = "json-schema", schemars(with = "serde_json::Value"))]
    pub(super) json: Option<&'a RawValue>,
    /// The text of any other text message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(with = "String"))]
    pub(super) text: Option<Cow<'a, str>>,
    /// The bytes of a binary message, in base64 (RFC 4648, section 4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(with = "String", extend("contentEncoding" = "base64")))]
    pub(super) binary: Option<Cow<'a, str>>,
}

/// A connection ended.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "RecordedClose"))]
pub(super) struct CloseForm<'a> {
    /// When, in ms since `startedAt`.
    #[cfg_attr(feature = "json-schema", schemars(with = "f64", range(min = 0)))]
    pub(super) at: At,
    /// The connection, counted from 1.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 1)))]
    pub(super) connection: u64,
    /// Says that it is a close.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "json-schema", schemars(with = "String", extend("const" = "close")))]
    pub(super) kind: Cow<'a, str>,
    /// Who ended it.
    pub(super) by: Closer,
    /// The close code; 1005: the close frame had none, 1006: there was no close frame. Default 1000, or 1006 when the
    /// connection was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(with = "u16", range(min = 1000, max = 4999)))]
    pub(super) code: Option<u16>,
    /// The close reason, at most 123 bytes.
    #[serde(default)]
    pub(super) reason: Cow<'a, str>,
}

/// A fault of the route happened. A replay ignores it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "RecordedFault"))]
pub(super) struct FaultForm<'a> {
    /// When, in ms since `startedAt`.
    #[cfg_attr(feature = "json-schema", schemars(with = "f64", range(min = 0)))]
    pub(super) at: At,
    /// The connection, counted from 1.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 1)))]
    pub(super) connection: u64,
    /// Says that it is a fault.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "json-schema", schemars(with = "String", extend("const" = "fault")))]
    pub(super) kind: Cow<'a, str>,
    /// What it did, in words.
    pub(super) effect: Cow<'a, str>,
}

/// Events were left out, as they could not be written as fast as they came.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "RecordedGap"))]
pub(super) struct GapForm<'a> {
    /// When, in ms since `startedAt`.
    #[cfg_attr(feature = "json-schema", schemars(with = "f64", range(min = 0)))]
    pub(super) at: At,
    /// Says that it is a gap.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "json-schema", schemars(with = "String", extend("const" = "gap")))]
    pub(super) kind: Cow<'a, str>,
    /// How many.
    pub(super) missed: u64,
}

/// A time in ms. A whole number is written without decimals.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of ms")]
pub(super) enum At {
    Whole(u64),
    Decimal(f64),
}

/// Who sends.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(inline))]
pub(super) enum Sender {
    Client,
    Server,
}

/// Who closes.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "json-schema", schemars(inline))]
pub(super) enum Closer {
    /// The client sent a close frame first.
    Client,
    /// The server did, or dropped the connection.
    Server,
    /// The transport ended without a close frame.
    Lost,
}

/// A key that is there has a value, `null` too.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn switching_protocols() -> u16 {
    101
}
