//! One line of a recording, read and written.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::RecordingError;
use super::event::{Event, EventKind, Gap, Header, Open, Refuse, Side};
use super::form::{
    At, CloseForm, Closer, FaultForm, GapForm, HeaderForm, MessageForm, OpenForm, RefuseForm, Sender,
};
use crate::interface::close_cause::CloseCause;
use crate::message::{CloseCode, CloseFrame, Message};
use crate::schema::error::describe;
use crate::schema::nearest;
use crate::time::WallTime;

/// The longest line in bytes, 64 MiB: it bounds what a reader holds.
pub const MAX_LINE: usize = 64 << 20;

/// The version of the format that is written and read.
const VERSION: u64 = 1;

/// What a line may say that it is.
const TYPES: [&str; 6] = ["open", "refuse", "message", "close", "fault", "gap"];

/// One line of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The beginning of a run.
    Header(Header),
    /// Something that happened to a connection.
    Event(Event),
    /// Events are missing here.
    Gap(Gap),
}

impl Line {
    /// Reads a line, without its line feed. `number` is the line's in its file, from 1, for errors.
    pub fn parse(number: u64, line: &[u8]) -> Result<Self, RecordingError> {
        if line.len() > MAX_LINE {
            return Err(too_long(number));
        }
        let error = |field: &str, message: String| RecordingError::new(number, field, message);
        // A list would be taken as the values of the keys.
        if line.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
            let value: Value = read(number, line)?;
            let got = describe(&value);
            return Err(error(
                "",
                format!("expected an object such as {{\"at\":0,\"connection\":1,…}}, got {got}"),
            ));
        }
        let kind: Kind = read(number, line)?;
        match (&kind.switchboard, &kind.kind) {
            (Some(_), _) => read(number, line).and_then(|form| header(number, &form)),
            (None, Some(Value::String(kind))) => match kind.as_str() {
                "open" => read(number, line).and_then(|form| open(number, form)),
                "refuse" => read(number, line).and_then(|form| refuse(number, form)),
                "message" => read(number, line).and_then(|form| message(number, form)),
                "close" => read(number, line).and_then(|form| close(number, &form)),
                "fault" => read(number, line).and_then(|form| fault(number, form)),
                "gap" => read(number, line).and_then(|form: GapForm<'_>| {
                    Ok(Line::Gap(Gap { at: duration(number, form.at)?, missed: form.missed }))
                }),
                other => {
                    let known: Vec<String> = TYPES.iter().map(|known| format!("{known:?}")).collect();
                    let meant = nearest(other, TYPES).map(|meant| format!("; did you mean {meant:?}?"));
                    let known = known.join(" or ");
                    let meant = meant.unwrap_or_default();
                    Err(error("type", format!("expected {known}, got {other:?}{meant}")))
                }
            },
            (None, Some(other)) => {
                let got = describe(other);
                Err(error("type", format!("expected text such as \"message\", got {got}")))
            }
            (None, None) => Err(error("", "the key \"type\" is missing".to_owned())),
        }
    }

    /// Appends the line with its line feed.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Line::Header(header) => {
                let started_at = header.started_at.to_string().into();
                let source = header.source.as_deref().map(Cow::Borrowed);
                let switchboard = "recording".into();
                append(out, &HeaderForm { switchboard, version: VERSION, started_at, source });
            }
            Line::Event(event) => event.write(out),
            Line::Gap(gap) => {
                append(out, &GapForm { at: At::from(gap.at), kind: "gap".into(), missed: gap.missed });
            }
        }
    }
}

impl Event {
    /// Appends the event's line with its line feed.
    fn write(&self, out: &mut Vec<u8>) {
        let (at, connection) = (At::from(self.at), self.connection);
        match &self.kind {
            EventKind::Open(open) => append(
                out,
                &OpenForm {
                    at,
                    connection,
                    kind: "open".into(),
                    path: open.path.as_str().into(),
                    headers: open.headers.as_slice().into(),
                    status: open.status,
                    subprotocol: open.subprotocol.as_deref().map(Cow::Borrowed),
                    response_headers: open.response_headers.as_slice().into(),
                },
            ),
            EventKind::Refuse(refuse) => append(
                out,
                &RefuseForm {
                    at,
                    connection,
                    kind: "refuse".into(),
                    path: refuse.path.as_str().into(),
                    headers: refuse.headers.as_slice().into(),
                    status: refuse.status,
                    reason: refuse.reason.as_str().into(),
                },
            ),
            EventKind::Message { from, message } => {
                let json = message.as_text().and_then(as_written);
                let text = message.as_text().filter(|_| json.is_none()).map(Cow::Borrowed);
                let binary = match message {
                    Message::Binary(bytes) => Some(STANDARD.encode(bytes).into()),
                    Message::Text(_) => None,
                };
                let kind = "message".into();
                let from = Sender::from(*from);
                append(out, &MessageForm { at, connection, kind, from, json, text, binary });
            }
            EventKind::Close { by, frame } => {
                let (code, reason) = (Some(frame.code.0), frame.reason.as_str().into());
                let (kind, by) = ("close".into(), Closer::from(*by));
                append(out, &CloseForm { at, connection, kind, by, code, reason });
            }
            EventKind::Fault { effect } => {
                let (kind, effect) = ("fault".into(), effect.as_str().into());
                append(out, &FaultForm { at, connection, kind, effect });
            }
        }
    }
}

/// What is looked at first.
#[derive(Deserialize)]
struct Kind {
    switchboard: Option<serde::de::IgnoredAny>,
    #[serde(rename = "type")]
    kind: Option<Value>,
}

fn read<'a, T: Deserialize<'a>>(number: u64, line: &'a [u8]) -> Result<T, RecordingError> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let form = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| RecordingError::from_serde(number, error))?;
    deserializer.end().map_err(|error| RecordingError::not_json(number, &error))?;
    Ok(form)
}

fn append(out: &mut Vec<u8>, form: &impl Serialize) {
    // Neither the types nor a vector can fail.
    let _ = serde_json::to_writer(&mut *out, form);
    out.push(b'\n');
}

/// The text as a JSON value that takes one line, if it is one.
fn as_written(text: &str) -> Option<&RawValue> {
    let is_space = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    if is_space(text.as_bytes().first()) || is_space(text.as_bytes().last()) {
        return None;
    }
    let value: &RawValue = serde_json::from_str(text).ok()?;
    (!text.contains(['\n', '\r'])).then_some(value)
}

fn header(number: u64, form: &HeaderForm<'_>) -> Result<Line, RecordingError> {
    let error = |field: &str, message| Err(RecordingError::new(number, field, message));
    if form.switchboard != "recording" {
        return error("switchboard", format!("expected \"recording\", got {:?}", form.switchboard));
    }
    if form.version != VERSION {
        let text =
            format!("expected {VERSION}, got {}: this Switchboard reads no other version", form.version);
        return error("version", text);
    }
    let time = chrono::DateTime::parse_from_rfc3339(&form.started_at)
        .ok()
        .and_then(|time| u64::try_from(time.timestamp_micros()).ok());
    let Some(time) = time else {
        let text = format!("expected a time such as \"2026-11-22T05:00:00.000Z\", got {:?}", form.started_at);
        return error("startedAt", text);
    };
    let source = form.source.as_deref().map(str::to_owned);
    Ok(Line::Header(Header { started_at: WallTime::from_us(time), source }))
}

fn open(number: u64, form: OpenForm<'_>) -> Result<Line, RecordingError> {
    check_path(number, &form.path)?;
    check_status(number, form.status)?;
    let kind = EventKind::Open(Open {
        path: form.path.into_owned(),
        headers: form.headers.into_owned(),
        status: form.status,
        subprotocol: form.subprotocol.map(Cow::into_owned),
        response_headers: form.response_headers.into_owned(),
    });
    event(number, form.at, form.connection, kind)
}

fn refuse(number: u64, form: RefuseForm<'_>) -> Result<Line, RecordingError> {
    check_path(number, &form.path)?;
    check_status(number, form.status)?;
    let kind = EventKind::Refuse(Refuse {
        path: form.path.into_owned(),
        headers: form.headers.into_owned(),
        status: form.status,
        reason: form.reason.into_owned(),
    });
    event(number, form.at, form.connection, kind)
}

fn message(number: u64, form: MessageForm<'_>) -> Result<Line, RecordingError> {
    let message = match (form.json, form.text, form.binary) {
        (Some(json), None, None) => Message::from(json.get()),
        (None, Some(text), None) => Message::from(text.into_owned()),
        (None, None, Some(binary)) => {
            let bytes = STANDARD.decode(&*binary).map_err(|error| {
                let text = format!("expected base64 with its padding (RFC 4648): {error}");
                RecordingError::new(number, "binary", text)
            })?;
            Message::from(Bytes::from(bytes))
        }
        (None, None, None) => {
            return Err(RecordingError::new(
                number,
                "",
                "one of \"json\", \"text\" and \"binary\" is missing",
            ));
        }
        _ => {
            let text = "only one of \"json\", \"text\" and \"binary\" may be there";
            return Err(RecordingError::new(number, "", text));
        }
    };
    event(number, form.at, form.connection, EventKind::Message { from: form.from.into(), message })
}

fn close(number: u64, form: &CloseForm<'_>) -> Result<Line, RecordingError> {
    let by = CloseCause::from(form.by);
    let usual = if by == CloseCause::Lost { CloseCode::ABNORMAL.0 } else { 1000 };
    let code = form.code.unwrap_or(usual);
    if !(1000..5000).contains(&code) {
        let text = format!("expected a close code from 1000 to 4999, got the number {code}");
        return Err(RecordingError::new(number, "code", text));
    }
    if form.reason.len() > CloseFrame::MAX_REASON {
        let (max, length) = (CloseFrame::MAX_REASON, form.reason.len());
        let text = format!("expected at most {max} bytes (RFC 6455, section 5.5), got {length}");
        return Err(RecordingError::new(number, "reason", text));
    }
    let frame = CloseFrame::new(CloseCode(code), &form.reason);
    event(number, form.at, form.connection, EventKind::Close { by, frame })
}

fn fault(number: u64, form: FaultForm<'_>) -> Result<Line, RecordingError> {
    event(number, form.at, form.connection, EventKind::Fault { effect: form.effect.into_owned() })
}

fn event(number: u64, at: At, connection: u64, kind: EventKind) -> Result<Line, RecordingError> {
    if connection == 0 {
        let text = "expected a whole number from 1, got the number 0";
        return Err(RecordingError::new(number, "connection", text));
    }
    Ok(Line::Event(Event { at: duration(number, at)?, connection, kind }))
}

fn check_path(number: u64, path: &str) -> Result<(), RecordingError> {
    if path.starts_with('/') {
        return Ok(());
    }
    let text = format!("expected a path that begins with \"/\", got {path:?}");
    Err(RecordingError::new(number, "path", text))
}

fn check_status(number: u64, status: u16) -> Result<(), RecordingError> {
    if (100..1000).contains(&status) {
        return Ok(());
    }
    let text = format!("expected an HTTP status from 100 to 999, got the number {status}");
    Err(RecordingError::new(number, "status", text))
}

fn duration(number: u64, at: At) -> Result<Duration, RecordingError> {
    // About 31,000 years: sums of such times do not overflow.
    const MAX: u64 = 1_000_000_000_000_000;
    let us = match at {
        At::Whole(ms) if ms <= MAX => ms * 1000,
        // Not negative and not too large, so it fits.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked right here")]
        At::Decimal(ms) if (0.0..1e15).contains(&ms) => (ms * 1000.0).round() as u64,
        _ => {
            let text = "expected a number of ms from 0 to 1e15";
            return Err(RecordingError::new(number, "at", text));
        }
    };
    Ok(Duration::from_micros(us))
}

pub(super) fn too_long(number: u64) -> RecordingError {
    let text = format!("longer than {} MiB, the longest line that is read", MAX_LINE >> 20);
    RecordingError::new(number, "", text)
}

impl From<Duration> for At {
    fn from(time: Duration) -> Self {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        match us % 1000 {
            0 => At::Whole(us / 1000),
            #[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
            _ => At::Decimal(us as f64 / 1000.0),
        }
    }
}

impl From<Sender> for Side {
    fn from(sender: Sender) -> Self {
        match sender {
            Sender::Client => Side::Client,
            Sender::Server => Side::Server,
        }
    }
}

impl From<Side> for Sender {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Sender::Client,
            Side::Server => Sender::Server,
        }
    }
}

impl From<Closer> for CloseCause {
    fn from(closer: Closer) -> Self {
        match closer {
            Closer::Client => CloseCause::Client,
            Closer::Server => CloseCause::Server,
            Closer::Lost => CloseCause::Lost,
        }
    }
}

impl From<CloseCause> for Closer {
    fn from(cause: CloseCause) -> Self {
        match cause {
            CloseCause::Client => Closer::Client,
            CloseCause::Server => Closer::Server,
            CloseCause::Lost => Closer::Lost,
        }
    }
}

#[cfg(test)]
mod tests;
