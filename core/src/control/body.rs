//! What a request to the control API carries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::message::{CloseCode, CloseFrame, Message};

/// A value for a feed.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlPublish"))]
pub(crate) struct Publish {
    /// The value: anything that JSON has.
    pub(crate) value: Value,
}

/// A message for one connection: exactly one of `text`, `json` and `binary`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlSend"))]
pub(crate) struct Send {
    /// The connection's id.
    pub(crate) connection: String,
    /// A text message.
    text: Option<String>,
    /// A text message of JSON.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(with = "Value"))]
    json: Option<Value>,
    /// A binary message, in base64.
    binary: Option<String>,
}

/// A message for everyone on a route, or in one of its rooms: exactly one of `text`, `json` and `binary`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlBroadcast"))]
pub(crate) struct Broadcast {
    /// The route's pattern, as it was written or with one of its prefixes.
    pub(crate) route: String,
    /// Only to the members of this room. Default: to everyone on the route.
    pub(crate) room: Option<String>,
    /// A text message.
    text: Option<String>,
    /// A text message of JSON.
    #[serde(default, deserialize_with = "given")]
    #[cfg_attr(feature = "json-schema", schemars(with = "Value"))]
    json: Option<Value>,
    /// A binary message, in base64.
    binary: Option<String>,
}

/// Which connections are closed, and how. Exactly one of `connection`, `route` and `everyone`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlClose"))]
pub(crate) struct Close {
    /// The connection with this id.
    connection: Option<String>,
    /// Everyone on the route with this pattern.
    route: Option<String>,
    /// Beside `route`: only the members of this room.
    room: Option<String>,
    /// All connections of the server.
    #[serde(default)]
    everyone: bool,
    /// 1000-1003, 1007-1014 or 3000-4999. Default 1000.
    code: Option<u16>,
    /// The close reason, at most 123 bytes. Default none.
    #[serde(default)]
    reason: String,
}

/// Which connections are dropped. Exactly one of `connection`, `route` and `everyone`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlTerminate"))]
pub(crate) struct Terminate {
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

/// Faults, and which connections they are for. Exactly one of `connection`, `route` and `everyone`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlAddFaults"))]
pub(crate) struct AddFaults {
    /// The connection with this id.
    connection: Option<String>,
    /// Everyone on the route with this pattern; if there is none, those whose whole path matches it.
    route: Option<String>,
    /// Beside `route`: only while they are in this room.
    room: Option<String>,
    /// All connections of the server.
    #[serde(default)]
    everyone: bool,
    /// One fault, several, or a condition's name, as in the configuration.
    #[cfg_attr(feature = "json-schema", schemars(with = "crate::fault::FaultList"))]
    pub(crate) faults: Value,
}

/// A recording to start.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlStartRecording"))]
pub(crate) struct StartRecording {
    /// The file's name, in the folder `recordings` of the configuration: letters, digits, `.`, `_` and `-`, at most 100, with
    /// `.jsonl` at the end. A file that is there is appended to.
    #[cfg_attr(
        feature = "json-schema",
        schemars(length(max = 100), regex(pattern = r"^[A-Za-z0-9_-][A-Za-z0-9._-]*\.jsonl$"))
    )]
    pub(crate) name: String,
    /// The route with this pattern; if there is none, those whose whole path matches it. Default: all.
    pub(crate) route: Option<String>,
    /// Regular expressions for secrets besides the usual ones: what they match is written as `***`. Default none.
    #[serde(default)]
    pub(crate) mask: Vec<String>,
}

/// How the connections are closed that a reset closes.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlReset"))]
pub(crate) struct Reset {
    /// 1000-1003, 1007-1014 or 3000-4999. Default 1012, service restart.
    code: Option<u16>,
    /// The close reason, at most 123 bytes. Default: `The server was reset`.
    reason: Option<String>,
}

/// Some connections of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Connection(String),
    Route { route: String, room: Option<String> },
    Everyone,
}

/// Reads a body; otherwise says what is wrong with it. An empty one counts as `{}`.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.is_empty() { b"{}" } else { body };
    let value: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    crate::schema::read(value).map_err(|error| error.to_string())
}

impl Send {
    /// The message.
    pub(crate) fn message(self) -> Result<Message, String> {
        message(self.text, self.json, self.binary)
    }
}

impl Broadcast {
    /// The message.
    pub(crate) fn message(self) -> Result<Message, String> {
        message(self.text, self.json, self.binary)
    }
}

impl Close {
    /// The connections, and the close frame.
    pub(crate) fn parts(self) -> Result<(Target, CloseFrame), String> {
        let frame = frame(self.code.unwrap_or(CloseCode::NORMAL.0), &self.reason)?;
        Ok((target(self.connection, self.route, self.room, self.everyone)?, frame))
    }
}

impl Terminate {
    /// The connections.
    pub(crate) fn target(self) -> Result<Target, String> {
        target(self.connection, self.route, self.room, self.everyone)
    }
}

impl AddFaults {
    /// The connections.
    pub(crate) fn target(&self) -> Result<Target, String> {
        target(self.connection.clone(), self.route.clone(), self.room.clone(), self.everyone)
    }
}

impl Reset {
    /// The close frame.
    pub(crate) fn frame(self) -> Result<CloseFrame, String> {
        let reason = self.reason.as_deref().unwrap_or("The server was reset");
        frame(self.code.unwrap_or(CloseCode::SERVICE_RESTART.0), reason)
    }
}

/// `null` is a value too, and no missing one.
pub(super) fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

pub(super) fn message(
    text: Option<String>,
    json: Option<Value>,
    binary: Option<String>,
) -> Result<Message, String> {
    match (text, json, binary) {
        (Some(text), None, None) => Ok(text.into()),
        (None, Some(json), None) => Ok(json.into()),
        (None, None, Some(binary)) => {
            let bytes = STANDARD.decode(&binary).map_err(|error| format!("binary: not base64: {error}"))?;
            Ok(Message::Binary(bytes.into()))
        }
        (None, None, None) => Err("there is no message; write text, json or binary (in base64)".to_owned()),
        _ => Err("there are several messages; write one of text, json and binary".to_owned()),
    }
}

pub(super) fn target(
    connection: Option<String>,
    route: Option<String>,
    room: Option<String>,
    everyone: bool,
) -> Result<Target, String> {
    match (connection, route, everyone) {
        (_, None, _) if room.is_some() => Err("room: a room is of a route; write route too".to_owned()),
        (Some(connection), None, false) => Ok(Target::Connection(connection)),
        (None, Some(route), false) => Ok(Target::Route { route, room }),
        (None, None, true) => Ok(Target::Everyone),
        (None, None, false) => {
            Err("who is meant? Write connection, route (and room), or everyone: true".to_owned())
        }
        _ => Err("write one of connection, route and everyone".to_owned()),
    }
}

fn frame(code: u16, reason: &str) -> Result<CloseFrame, String> {
    if !CloseCode(code).is_sendable() {
        return Err(format!("code: {code} cannot be sent; use 1000-1003, 1007-1014 or 3000-4999"));
    }
    if reason.len() > 123 {
        return Err(format!("reason: it has {} bytes, at most 123", reason.len()));
    }
    Ok(CloseFrame::new(CloseCode(code), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(body: &str) -> Result<Message, String> {
        read::<Send>(body.as_bytes())?.message()
    }

    #[test]
    fn a_message_is_text_json_or_binary() {
        for (body, expected) in [
            (r#"{"connection":"a","text":"hi"}"#, Ok(Message::from("hi"))),
            (r#"{"connection":"a","json":{"b": 1}}"#, Ok(Message::from("{\"b\":1}"))),
            (r#"{"connection":"a","json":null}"#, Ok(Message::from("null"))),
            (r#"{"connection":"a","binary":"AQI="}"#, Ok(Message::Binary(vec![1, 2].into()))),
            (r#"{"connection":"a","binary":"*"}"#, Err("binary: not base64: Invalid symbol 42, offset 0.")),
            (r#"{"connection":"a"}"#, Err("there is no message; write text, json or binary (in base64)")),
            (
                r#"{"connection":"a","text":"","json":1}"#,
                Err("there are several messages; write one of text, json and binary"),
            ),
            (r#"{"text":"a"}"#, Err("the key \"connection\" is missing")),
            (r#"{"connection":"a","txt":"b"}"#, Err("txt: unknown key; did you mean \"text\"?")),
            (r#"{"connection":1}"#, Err("connection: expected text, got the number 1")),
            ("{", Err("the body is not JSON: EOF while parsing an object at line 1 column 1")),
            ("", Err("the key \"connection\" is missing")),
        ] {
            assert_eq!(sent(body), expected.map_err(str::to_owned), "{body}");
        }
    }

    #[test]
    fn connections_are_named_in_one_way() {
        let target = |body: &str| read::<Terminate>(body.as_bytes()).and_then(Terminate::target);
        assert_eq!(target(r#"{"connection":"a"}"#), Ok(Target::Connection("a".into())));
        assert_eq!(target(r#"{"everyone":true}"#), Ok(Target::Everyone));
        let route = |room: Option<&str>| Target::Route { route: "/a".into(), room: room.map(str::to_owned) };
        assert_eq!(target(r#"{"route":"/a","room":"b"}"#), Ok(route(Some("b"))));
        assert_eq!(target(r#"{"route":"/a"}"#), Ok(route(None)));
        for body in
            ["{}", r#"{"room":"a"}"#, r#"{"everyone":true,"route":"/a"}"#, r#"{"connection":"a","room":"b"}"#]
        {
            assert!(target(body).is_err(), "{body}");
        }
        for (body, expected) in [
            (r#"{"everyone":true,"code":1006}"#, "code: 1006 cannot be sent"),
            (r#"{"everyone":true,"code":70000}"#, "code: expected a whole number from 0 to 65535"),
        ] {
            let error = read::<Close>(body.as_bytes()).and_then(Close::parts).expect_err("a mistake");
            assert!(error.starts_with(expected), "{error}");
        }
        let long = format!(r#"{{"everyone":true,"reason":"{}"}}"#, "é".repeat(62));
        let error = read::<Close>(long.as_bytes()).and_then(Close::parts).expect_err("too long");
        assert_eq!(error, "reason: it has 124 bytes, at most 123");
        assert_eq!(
            read::<Reset>(b"").and_then(Reset::frame).expect("the usual").code,
            CloseCode::SERVICE_RESTART
        );
    }
}
