//! A recording as a HAR file.

use std::collections::HashMap;

use http::StatusCode;
use serde::Serialize;

use super::SUBPROTOCOL;
use super::address::Address;
use super::frame::{self, Content, Frame};
use crate::interface::close_cause::CloseCause;
use crate::recording::{Event, EventKind, Header, Line, Open, Refuse, Side};
use crate::time::WallTime;

/// Makes a HAR file of a recording, line by line. Chrome's network panel imports it: it has what the panel asks for, and
/// times in s.
///
/// The URL of a connection is its path at the server that the header names as `source`; without one, at the server of the
/// request's header `Host`. HAR has no place for faults and gaps.
#[derive(Debug, Default)]
pub struct HarWriter {
    /// The zero of the present run, in µs since 1970.
    start: u64,
    source: Option<Address>,
    entries: Vec<Entry>,
    /// The entries of the connections of the present run.
    connections: HashMap<u64, usize>,
    left_out: usize,
}

/// What a [`HarWriter`] has made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenHar {
    /// The file.
    pub text: String,
    /// How many events are not in it: faults, gaps, and what belongs to connections whose opening is not in the recording.
    pub left_out: usize,
}

impl HarWriter {
    /// The next line of the recording.
    pub fn push(&mut self, line: Line) {
        match line {
            Line::Header(Header { started_at, source }) => {
                self.start = started_at.as_us();
                self.source = source.and_then(|source| Address::parse(&source).ok());
                self.connections.clear();
            }
            Line::Event(Event { at, connection, kind }) => {
                let at = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
                self.event(self.start.saturating_add(at), connection, kind);
            }
            Line::Gap(_) => self.left_out += 1,
        }
    }

    /// The file.
    pub fn finish(self) -> WrittenHar {
        let log = Log {
            version: "1.2",
            creator: Creator { name: "Switchboard", version: env!("CARGO_PKG_VERSION") },
            pages: [],
            entries: self.entries,
        };
        let text = serde_json::to_string_pretty(&Document { log });
        // Only maps with keys that are no text could fail.
        WrittenHar { text: text.unwrap_or_default() + "\n", left_out: self.left_out }
    }

    fn event(&mut self, time: u64, connection: u64, kind: EventKind) {
        let content = match kind {
            EventKind::Open(open) => {
                let place = self.entries.len();
                self.entries.push(Entry::opened(time, self.source.as_ref(), open));
                self.connections.insert(connection, place);
                return;
            }
            EventKind::Refuse(refuse) => {
                self.entries.push(Entry::refused(time, self.source.as_ref(), refuse));
                return;
            }
            EventKind::Message { from, message } => Content::Message { from, message },
            EventKind::Close { by, frame } => match by {
                CloseCause::Client => Content::Close { by: Side::Client, frame },
                CloseCause::Server => Content::Close { by: Side::Server, frame },
                CloseCause::Lost => Content::Error(frame.reason.as_str().to_owned()),
            },
            EventKind::Fault { .. } => {
                self.left_out += 1;
                return;
            }
        };
        match self.connections.get(&connection) {
            Some(place) => self.entries[*place].add(&Frame { time: Some(time), content }),
            None => self.left_out += 1,
        }
    }
}

#[derive(Serialize)]
struct Document {
    log: Log,
}

#[derive(Serialize)]
struct Log {
    version: &'static str,
    creator: Creator,
    pages: [(); 0],
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Creator {
    name: &'static str,
    version: &'static str,
}

/// The fields that HAR 1.2 and Chrome's importer demand; -1 is what is not known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(skip)]
    start: u64,
    started_date_time: String,
    /// In ms, until the last message.
    time: f64,
    request: Request,
    response: Response,
    cache: Empty,
    timings: Timings,
    #[serde(rename = "_resourceType")]
    resource_type: &'static str,
    #[serde(rename = "_webSocketMessages")]
    messages: Vec<frame::Written<'static>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: &'static str,
    url: String,
    http_version: &'static str,
    cookies: [(); 0],
    headers: Vec<Pair>,
    query_string: Vec<Pair>,
    headers_size: i64,
    body_size: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status: u16,
    status_text: &'static str,
    http_version: &'static str,
    cookies: [(); 0],
    headers: Vec<Pair>,
    content: Body,
    #[serde(rename = "redirectURL")]
    redirect_url: &'static str,
    headers_size: i64,
    body_size: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    size: i64,
    mime_type: &'static str,
}

#[derive(Debug, Serialize)]
struct Empty {}

/// In ms.
#[derive(Debug, Serialize)]
struct Timings {
    send: f64,
    wait: f64,
    receive: f64,
}

#[derive(Debug, Serialize)]
struct Pair {
    name: String,
    value: String,
}

impl Entry {
    fn opened(start: u64, source: Option<&Address>, open: Open) -> Self {
        let Open { path, headers, status, subprotocol, mut response_headers } = open;
        let is_told = response_headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(SUBPROTOCOL));
        response_headers.extend(subprotocol.filter(|_| !is_told).map(|name| (SUBPROTOCOL.to_owned(), name)));
        Self::new(start, Request::new(source, &path, headers), Response::new(status, response_headers))
    }

    /// Chrome has the reason among the messages, and imports it from there only.
    fn refused(start: u64, source: Option<&Address>, refuse: Refuse) -> Self {
        let Refuse { path, headers, status, reason } = refuse;
        let response = Response::new(status, Vec::new());
        let mut entry = Self::new(start, Request::new(source, &path, headers), response);
        if !reason.is_empty() {
            entry.add(&Frame { time: Some(start), content: Content::Error(reason) });
        }
        entry
    }

    fn new(start: u64, request: Request, response: Response) -> Self {
        Self {
            start,
            started_date_time: WallTime::from_us(start).to_iso_us(),
            time: 0.0,
            request,
            response,
            cache: Empty {},
            timings: Timings { send: 0.0, wait: 0.0, receive: 0.0 },
            resource_type: "websocket",
            messages: Vec::new(),
        }
    }

    fn add(&mut self, frame: &Frame) {
        if let Some(time) = frame.time {
            #[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
            let passed = time.saturating_sub(self.start) as f64 / 1000.0;
            self.time = self.time.max(passed);
        }
        self.messages.push(frame::Written::from(frame).into_owned());
    }
}

impl Request {
    fn new(source: Option<&Address>, path: &str, headers: Vec<(String, String)>) -> Self {
        let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let origin = match (source, host) {
            (Some(source), _) => source.origin(),
            (None, Some((_, host))) => format!("ws://{host}"),
            (None, None) => "ws://localhost".to_owned(),
        };
        let query = path.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes());
        Self {
            method: "GET",
            url: format!("{origin}{path}"),
            http_version: "HTTP/1.1",
            cookies: [],
            headers: pairs(headers),
            query_string: pairs(query.map(|(name, value)| (name.into_owned(), value.into_owned()))),
            headers_size: -1,
            body_size: 0,
        }
    }
}

impl Response {
    fn new(status: u16, headers: Vec<(String, String)>) -> Self {
        let known = StatusCode::from_u16(status).ok();
        Self {
            status,
            status_text: known.and_then(|status| status.canonical_reason()).unwrap_or_default(),
            http_version: "HTTP/1.1",
            cookies: [],
            headers: pairs(headers),
            content: Body { size: 0, mime_type: "x-unknown" },
            redirect_url: "",
            headers_size: -1,
            body_size: -1,
        }
    }
}

fn pairs(list: impl IntoIterator<Item = (String, String)>) -> Vec<Pair> {
    list.into_iter().map(|(name, value)| Pair { name, value }).collect()
}
