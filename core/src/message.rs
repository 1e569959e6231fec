//! What travels over a WebSocket: messages and close frames.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One whole message, after reassembly and decompression. Cloning shares the payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Opcode 1: valid UTF-8.
    Text(Text),
    /// Opcode 2: any bytes.
    Binary(Bytes),
}

impl Message {
    /// The payload, whatever its kind.
    pub fn payload(&self) -> &Bytes {
        match self {
            Message::Text(text) => &text.0,
            Message::Binary(bytes) => bytes,
        }
    }

    /// The payload's length in bytes.
    pub fn len(&self) -> usize {
        self.payload().len()
    }

    /// Whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.payload().is_empty()
    }

    /// The text, if this is a text message.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Message::Text(text) => Some(text.as_str()),
            Message::Binary(_) => None,
        }
    }

    /// A text message with a value as JSON, in its shortest form. Fails for values that JSON cannot represent, such as a
    /// map whose keys are not strings. A [`Value`] cannot fail: `Message::from(json!(…))`.
    ///
    /// ```
    /// use switchboard_core::Message;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Move { x: i32, y: i32 }
    ///
    /// let message = Message::json(&Move { x: 1, y: 2 })?;
    /// assert_eq!(message.as_text(), Some(r#"{"x":1,"y":2}"#));
    /// assert_eq!(message.parse_json::<Move>()?.y, 2);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(Message::from)
    }

    /// Parses the payload, text or binary, as JSON.
    pub fn parse_json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.payload())
    }
}

/// A text message of JSON in its shortest form.
impl From<&Value> for Message {
    fn from(value: &Value) -> Self {
        Message::Text(Text::from(value.to_string()))
    }
}

/// A text message of JSON in its shortest form.
impl From<Value> for Message {
    fn from(value: Value) -> Self {
        Message::from(&value)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Message::Text(text.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Message::Text(text.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Message::Binary(bytes)
    }
}

/// UTF-8 text that shares its bytes when cloned.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text(Bytes);

impl Text {
    /// Takes bytes that the caller has already validated, as the reassembler does incrementally.
    ///
    /// If they are not valid after all, [`as_str`](Self::as_str) is empty; nothing worse can happen without `unsafe`.
    pub(crate) fn from_validated(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// Validates `bytes`; gives them back when they are not UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Result<Self, Bytes> {
        match simdutf8::basic::from_utf8(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(bytes),
        }
    }

    /// The text as a string slice. The check behind it costs about 0.03 ns per byte.
    pub fn as_str(&self) -> &str {
        simdutf8::basic::from_utf8(&self.0).unwrap_or_default()
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

/// A close code (RFC 6455 section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: the connection has served its purpose.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server stops, or the page was left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke RFC 6455.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that this endpoint does not accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: the close frame carried no code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection ended without a close frame. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: text that is not UTF-8, or compressed data that does not inflate.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: the client broke a rule of this server.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: the message is larger than this server accepts.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1011: the server met an unexpected condition.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the server restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the server is overloaded, or this peer reads too slowly.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// Whether a close frame may carry this code: 1000–1003, 1007–1014, 3000–4999.
    pub fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The content of a close frame. The reason has at most 123 bytes on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CloseFrame {
    /// The close code.
    pub code: CloseCode,
    /// The reason; often empty.
    pub reason: Text,
}

impl CloseFrame {
    /// The longest reason in bytes: the 125 of a control frame less 2 for the code.
    pub const MAX_REASON: usize = 123;

    /// A close frame; a longer reason is cut at a character boundary.
    pub fn new(code: CloseCode, reason: &str) -> Self {
        let end = reason.floor_char_boundary(Self::MAX_REASON);
        Self { code, reason: Text::from(&reason[..end]) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn json_goes_both_ways_and_fails_where_it_cannot() {
        assert_eq!(Message::json("a\"b").unwrap(), Message::from(r#""a\"b""#));
        assert_eq!(Message::json(&[Some(1), None]).unwrap(), Message::from(serde_json::json!([1, null])));
        assert!(Message::json(&BTreeMap::from([((1, 2), 3)])).is_err(), "a key that is no string");
        let binary = Message::from(Bytes::from_static(b"[1,2]"));
        assert_eq!(binary.parse_json::<Vec<u8>>().unwrap(), [1, 2]);
        assert!(Message::from("[1,").parse_json::<Value>().is_err());
        assert!(Message::from("300").parse_json::<u8>().is_err());
    }
}
