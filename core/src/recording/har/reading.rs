//! A HAR file as a recording.

use std::time::Duration;

use bytes::Bytes;

use super::SUBPROTOCOL;
use super::document::{Document, Entries, Socket};
use super::frame::{Content, Frame};
use crate::interface::close_cause::CloseCause;
use crate::message::{CloseCode, CloseFrame};
use crate::recording::line::too_long;
use crate::recording::{Event, EventKind, Header, Line, MAX_LINE, Open, RecordingError, Refuse, Side};
use crate::time::WallTime;

/// The status of an opening that failed and whose status nobody has noted.
const BAD_GATEWAY: u16 = 502;

/// A HAR file, read but for the files that lie beside it.
///
/// Hosts that cannot read files at once ask for [`attachments`](Self::attachments), fetch them, and go on with
/// [`into_recording`](Self::into_recording).
#[derive(Debug)]
pub struct Har {
    entries: Entries,
}

/// What a HAR file says about WebSockets, as a recording with one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HarRecording {
    /// The time of the first opening, and the server if it is the same for all.
    pub header: Header,
    /// Ordered by time. Connections are counted in the order in which they were opened.
    pub events: Vec<Event>,
    /// How many entries are no WebSockets. They are skipped.
    pub skipped: usize,
    /// How many WebSockets had no answer yet when the file was written. They are left out.
    pub unanswered: usize,
}

impl Har {
    /// Reads a file, UTF-8 with or without a byte order mark. Mistakes are told with line and field, and so is a file without
    /// a WebSocket.
    pub fn parse(text: &[u8]) -> Result<Self, RecordingError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let document: Document =
            serde_path_to_error::deserialize(&mut deserializer).map_err(RecordingError::in_document)?;
        deserializer.end().map_err(|error| RecordingError::not_json(error.line() as u64, &error))?;
        let entries = document.log.entries;
        if entries.sockets.is_empty() {
            let message = format!(
                "there is no WebSocket among {} entries; record again while one is opened",
                entries.others
            );
            return Err(RecordingError::new(0, "log.entries", message));
        }
        Ok(Self { entries })
    }

    /// The names of the files that hold messages, relative to the folder of this one: Playwright's `content: "attach"`.
    pub fn attachments(&self) -> impl Iterator<Item = &str> {
        self.entries.sockets.iter().filter_map(|(_, socket)| socket.attachment.as_deref())
    }

    /// The recording. `attached` gives the bytes of a file that lies beside this one, or says why it cannot.
    pub fn into_recording(
        self,
        mut attached: impl FnMut(&str) -> Result<Bytes, String>,
    ) -> Result<HarRecording, RecordingError> {
        let mut sockets = Vec::with_capacity(self.entries.sockets.len());
        for (place, mut socket) in self.entries.sockets {
            if let Some(name) = socket.attachment.take() {
                let frames = attached(&name).and_then(|text| frames(&name, &text));
                socket.frames.extend(frames.map_err(|message| {
                    RecordingError::new(0, format!("log.entries[{place}].response.content._file"), message)
                })?);
            }
            sockets.push(socket);
        }
        // Chrome orders its own by it, too, when it imports them.
        sockets.sort_by_key(|socket| socket.start);
        // A header's time has ms.
        let start = sockets.first().map_or(0, |socket| socket.start / 1000 * 1000);
        let mut recording = HarRecording {
            header: Header { started_at: WallTime::from_us(start), source: source(&sockets) },
            skipped: self.entries.others,
            ..HarRecording::default()
        };
        let mut connection = 1;
        for socket in sockets {
            let mut timeline =
                Timeline { start, connection, at: socket.start, events: &mut recording.events };
            match timeline.add(socket) {
                true => connection += 1,
                false => recording.unanswered += 1,
            }
        }
        recording.events.sort_by_key(|event| event.at);
        Ok(recording)
    }
}

impl HarRecording {
    /// The recording as a file. A message may be too long for a line.
    pub fn to_lines(&self) -> Result<Vec<u8>, RecordingError> {
        let mut lines = Vec::new();
        let header = Line::Header(self.header.clone());
        let events = self.events.iter().map(|event| Line::Event(event.clone()));
        for (number, line) in (1..).zip([header].into_iter().chain(events)) {
            let start = lines.len();
            line.write(&mut lines);
            if lines.len() - start > MAX_LINE {
                return Err(too_long(number));
            }
        }
        Ok(lines)
    }
}

/// The events of one connection.
struct Timeline<'a> {
    /// The zero of the recording, in µs since 1970.
    start: u64,
    connection: u64,
    /// The time of the last event. Clocks of browsers step back, events of a connection do not.
    at: u64,
    events: &'a mut Vec<Event>,
}

impl Timeline<'_> {
    /// Adds all of a connection; false if there is nothing to add, as its opening was never answered.
    fn add(&mut self, socket: Socket) -> bool {
        let Socket { address, headers, status, response_headers, failure, frames, .. } = socket;
        let path = address.path;
        let has_messages = frames.iter().any(|frame| matches!(frame.content, Content::Message { .. }));
        let http = u16::try_from(status).ok().filter(|status| (100..1000).contains(status));
        // 2xx is RFC 8441.
        if !has_messages && !matches!(http, Some(101 | 200..300)) {
            let error = frames.into_iter().find_map(|frame| match frame.content {
                Content::Error(why) => Some(why),
                _ => None,
            });
            let reason = failure.or(error);
            let status = http.or_else(|| reason.as_deref().map(|why| status_in(why).unwrap_or(BAD_GATEWAY)));
            let Some(status) = status else { return false };
            let reason = reason.unwrap_or_default();
            self.push(None, EventKind::Refuse(Refuse { path, headers, status, reason }));
            return true;
        }
        let status = http.filter(|status| (200..300).contains(status)).unwrap_or(101);
        let subprotocol = response_headers.iter().find(|(name, _)| name == SUBPROTOCOL);
        let subprotocol = subprotocol.map(|(_, value)| value.clone());
        self.push(None, EventKind::Open(Open { path, headers, status, subprotocol, response_headers }));
        self.messages(frames);
        true
    }

    /// The messages, and the end if the file tells it. It is the last event even if its frame is not: the other side may
    /// send on until it has answered.
    fn messages(&mut self, frames: Vec<Frame>) {
        let mut end = None;
        for Frame { time, content } in frames {
            match content {
                Content::Message { from, message } => self.push(time, EventKind::Message { from, message }),
                Content::Close { by, frame } => {
                    let by = match by {
                        Side::Client => CloseCause::Client,
                        Side::Server => CloseCause::Server,
                    };
                    end.get_or_insert((time, by, frame));
                }
                Content::Error(why) => {
                    end.get_or_insert((time, CloseCause::Lost, CloseFrame::new(CloseCode::ABNORMAL, &why)));
                }
                Content::Control => {}
            }
        }
        if let Some((time, by, frame)) = end {
            self.push(time, EventKind::Close { by, frame });
        }
    }

    /// An event at this time, in µs since 1970; without one together with the event before.
    fn push(&mut self, time: Option<u64>, kind: EventKind) {
        self.at = self.at.max(time.unwrap_or_default());
        let at = Duration::from_micros(self.at - self.start);
        self.events.push(Event { at, connection: self.connection, kind });
    }
}

/// The lines of an attached file.
fn frames(name: &str, text: &[u8]) -> Result<Vec<Frame>, String> {
    let mut frames = Vec::new();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let frame = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| (number, error));
        let frame = frame.map_err(|(number, error)| {
            let error = RecordingError { line: number, ..RecordingError::in_document(error) };
            format!("{name}, {error}")
        })?;
        deserializer
            .end()
            .map_err(|error| format!("{name}, {}", RecordingError::not_json(number, &error)))?;
        frames.push(frame);
    }
    Ok(frames)
}

/// The server, if it is one.
fn source(sockets: &[Socket]) -> Option<String> {
    let (first, others) = sockets.split_first()?;
    let origin = first.address.origin();
    others.iter().all(|other| other.address.origin() == origin).then_some(origin)
}

/// The status that a browser's message about a failed opening names. Chrome's are "Error during WebSocket handshake:
/// Unexpected response code: 503", and another one for 401.
fn status_in(failure: &str) -> Option<u16> {
    if failure.contains("HTTP Authentication failed") {
        return Some(401);
    }
    let (_, code) = failure.split_once("Unexpected response code: ")?;
    code.get(..3)?.parse().ok().filter(|status| (100..1000).contains(status))
}
