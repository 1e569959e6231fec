//! An element of `_webSocketMessages`, or a line of the file that stands for it.
//!
//! | `type` | `opcode` | `data` | What it is |
//! |---|---|---|---|
//! | `send`, `receive` | 1 | the text | a message of the client, of the server |
//! | `send`, `receive` | 2 | base64 | the same, binary |
//! | `send`, `receive` | 8 | base64: code and reason, RFC 6455 section 5.5.1 | a close frame; Chrome shows them, but writes none |
//! | `send`, `receive` | 9, 10 | | a ping or pong, left out |
//! | `error` | -1 | why | the connection broke |

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};

use super::object::object;
use crate::message::{CloseCode, CloseFrame, Message};
use crate::recording::Side;

const TEXT: i64 = 1;
const BINARY: i64 = 2;
const CLOSE: i64 = 8;
const PING: i64 = 9;
const PONG: i64 = 10;
const NONE: i64 = -1;

/// From here on a time is in ms: as seconds it would be in the year 5138, as ms it is in 1973.
const FIRST_MILLISECONDS: f64 = 1e11;

/// 10000-01-01, the first instant that RFC 3339 cannot write, in ms since 1970.
const END_OF_TIME: f64 = 253_402_300_800_000.0;

/// One of them, understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    /// In µs since 1970, if it is known.
    pub(super) time: Option<u64>,
    pub(super) content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Message {
        from: Side,
        message: Message,
    },
    Close {
        by: Side,
        frame: CloseFrame,
    },
    /// A ping or a pong.
    Control,
    Error(String),
}

/// The same as it stands in the file.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Written<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    time: f64,
    opcode: i64,
    data: Cow<'a, str>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Send,
    Receive,
    Error,
}

impl<'de> Deserialize<'de> for Frame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::<Written<'_>, _, _>(deserializer)
    }
}

/// An error begins with the name of its field and a colon.
impl TryFrom<Written<'_>> for Frame {
    type Error = String;

    fn try_from(Written { kind, time, opcode, data }: Written<'_>) -> Result<Self, String> {
        let time = microseconds(time)?;
        let from = match kind {
            Kind::Send => Side::Client,
            Kind::Receive => Side::Server,
            Kind::Error => return Ok(Self { time, content: Content::Error(data.into_owned()) }),
        };
        let content = match opcode {
            TEXT => Content::Message { from, message: Message::from(data.into_owned()) },
            BINARY => Content::Message { from, message: Message::from(Bytes::from(decode(&data)?)) },
            CLOSE => Content::Close { by: from, frame: close(&decode(&data)?)? },
            PING | PONG => Content::Control,
            _ => {
                return Err(format!(
                    "opcode: expected 1 for text or 2 for binary data, got the number {opcode}"
                ));
            }
        };
        Ok(Self { time, content })
    }
}

impl<'a> From<&'a Frame> for Written<'a> {
    /// As Chrome writes it, with the time in s. One that is not known is -1.
    #[expect(clippy::cast_precision_loss, reason = "exact to the µs for 200 years")]
    fn from(frame: &'a Frame) -> Self {
        let time = frame.time.map_or(-1.0, |time| time as f64 / 1e6);
        let (kind, opcode, data) = match &frame.content {
            Content::Message { from, message } => match message.as_text() {
                Some(text) => (Kind::of(*from), TEXT, Cow::Borrowed(text)),
                None => (Kind::of(*from), BINARY, STANDARD.encode(message.payload()).into()),
            },
            Content::Close { by, frame } if frame.code == CloseCode::NO_STATUS => {
                (Kind::of(*by), CLOSE, "".into())
            }
            Content::Close { by, frame } => {
                let payload = [&frame.code.0.to_be_bytes(), frame.reason.as_str().as_bytes()].concat();
                (Kind::of(*by), CLOSE, STANDARD.encode(payload).into())
            }
            Content::Control => (Kind::Receive, PING, "".into()),
            Content::Error(why) => (Kind::Error, NONE, Cow::Borrowed(&**why)),
        };
        Self { kind, time, opcode, data }
    }
}

impl Written<'_> {
    pub(super) fn into_owned(self) -> Written<'static> {
        Written { data: Cow::Owned(self.data.into_owned()), ..self }
    }
}

impl Kind {
    fn of(side: Side) -> Self {
        match side {
            Side::Client => Kind::Send,
            Side::Server => Kind::Receive,
        }
    }
}

/// In µs since 1970. Nothing for the -1 that Playwright writes when it leaves out times.
fn microseconds(time: f64) -> Result<Option<u64>, String> {
    let ms = if time < FIRST_MILLISECONDS { time * 1000.0 } else { time };
    if ms < 0.0 {
        return Ok(None);
    }
    if ms >= END_OF_TIME {
        return Err(format!(
            "time: expected s or ms since 1970, at most until the year 9999, got the number {time}"
        ));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked right here")]
    Ok(Some((ms * 1000.0).round() as u64))
}

fn decode(data: &str) -> Result<Vec<u8>, String> {
    let wrong =
        |error| format!("data: expected base64 with its padding (RFC 4648), as the opcode is not 1: {error}");
    STANDARD.decode(data).map_err(wrong)
}

/// The payload of a close frame.
fn close(payload: &[u8]) -> Result<CloseFrame, String> {
    let (code, reason) = match payload {
        [] => (CloseCode::NO_STATUS.0, &[][..]),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        [_] => return Err("data: a close frame is empty or begins with the two bytes of its code".to_owned()),
    };
    if !(1000..5000).contains(&code) {
        return Err(format!("data: expected a close code from 1000 to 4999, got {code}"));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) if reason.len() <= CloseFrame::MAX_REASON => Ok(CloseFrame::new(CloseCode(code), reason)),
        Ok(_) => {
            Err(format!("data: the reason of a close frame has at most {} bytes", CloseFrame::MAX_REASON))
        }
        Err(_) => Err("data: the reason of a close frame has to be UTF-8".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(from: Side, message: impl Into<Message>) -> Content {
        Content::Message { from, message: message.into() }
    }

    #[test]
    fn every_kind() {
        let bytes = Bytes::from_static(&[0, 1, 255]);
        let closed = |code, reason| Content::Close {
            by: Side::Server,
            frame: CloseFrame::new(CloseCode(code), reason),
        };
        for (written, content) in [
            (json!({"type": "send", "opcode": 1, "data": "{\"a\": 1}"}), message(Side::Client, "{\"a\": 1}")),
            (json!({"type": "receive", "opcode": 1, "data": ""}), message(Side::Server, "")),
            (json!({"type": "receive", "opcode": 2, "data": "AAH/"}), message(Side::Server, bytes)),
            (json!({"type": "receive", "opcode": 8, "data": "D6FnbyE="}), closed(4001, "go!")),
            (json!({"type": "receive", "opcode": 8, "data": ""}), closed(1005, "")),
            (json!({"type": "receive", "opcode": 9, "data": ""}), Content::Control),
            (json!({"type": "error", "opcode": -1, "data": "reset"}), Content::Error("reset".to_owned())),
        ] {
            let mut written = written;
            written["time"] = json!(1_795_324_387.375_354);
            let frame: Frame = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(frame.content, content);
            assert_eq!(serde_json::to_value(Written::from(&frame)).unwrap(), written);
        }
    }

    #[test]
    fn times() {
        for (time, expected) in [
            (json!(1_795_324_387.375_354), Some(1_795_324_387_375_354)), // Chrome, mitmproxy: s
            (json!(1_795_324_387_375.354), Some(1_795_324_387_375_354)), // Playwright: ms
            (json!(1_795_324_387), Some(1_795_324_387_000_000)),
            (json!(-1), None),
            (json!(0), Some(0)),
        ] {
            let written = json!({"type": "send", "time": time, "opcode": 1, "data": ""});
            assert_eq!(serde_json::from_value::<Frame>(written).unwrap().time, expected, "{time}");
        }
    }

    #[test]
    fn what_is_wrong() {
        for (written, expected) in [
            (json!({"type": "send", "time": 1, "opcode": 2, "data": "AAH"}), "data: expected base64"),
            (json!({"type": "send", "time": 1, "opcode": 3, "data": ""}), "opcode: expected 1 for text or 2"),
            (
                json!({"type": "send", "time": 1e300, "opcode": 1, "data": ""}),
                "time: expected s or ms since 1970",
            ),
            (
                json!({"type": "send", "time": 1, "opcode": 8, "data": "AA=="}),
                "data: a close frame is empty or",
            ),
            (json!({"type": "send", "time": 1, "opcode": 8, "data": "AAE="}), "data: expected a close code"),
            (json!({"type": "send", "time": 1, "opcode": 8, "data": "A+j/"}), "has to be UTF-8"),
            (
                json!({"type": "send", "time": 1, "opcode": 8, "data": STANDARD.encode([[3, 232].as_slice(), &[97; 124]].concat())}),
                "at most 123 bytes",
            ),
        ] {
            let error = serde_json::from_value::<Frame>(written).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
