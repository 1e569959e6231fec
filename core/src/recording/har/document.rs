//! The part of a HAR file that is about WebSockets, as its producers write it.
//!
//! | Producer | URL | `time` of a message | Opening that failed | Messages |
//! |---|---|---|---|---|
//! | Chrome's network panel | `ws:`, `wss:` | s | `status` 0, a message of type `error` | `_webSocketMessages` |
//! | Playwright from 1.61 | `ws:`, `wss:` | ms; -1 without times | `status` -1, `_failureText` | the same, or a file: `response.content._file` |
//! | mitmproxy | `http:`, `https:` | s | `status` 0, `_error` | `_webSocketMessages` |
//!
//! Many programs write HAR files, so keys that are not known here are ignored.

use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::MAX_CONNECTIONS;
use super::address::Address;
use super::frame::Frame;
use super::object::object;

/// A whole file.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) log: Log,
}

#[derive(Debug, Deserialize)]
pub(super) struct Log {
    pub(super) entries: Entries,
}

/// The entries that are WebSockets. The others are dropped while the file is read, so that they take no memory.
#[derive(Debug)]
pub(super) struct Entries {
    /// Those of WebSockets, with their places in the file.
    pub(super) sockets: Vec<(usize, Socket)>,
    /// How many are none.
    pub(super) others: usize,
}

/// One WebSocket.
#[derive(Debug)]
pub(super) struct Socket {
    /// When it was opened, in µs since 1970.
    pub(super) start: u64,
    pub(super) address: Address,
    pub(super) headers: Vec<(String, String)>,
    /// -1 and 0: there was no answer.
    pub(super) status: i64,
    pub(super) response_headers: Vec<(String, String)>,
    /// Why there was no answer, unless it stands among the frames.
    pub(super) failure: Option<String>,
    pub(super) frames: Vec<Frame>,
    /// The file beside this one where Playwright has put the messages, one a line, with `content: "attach"`.
    pub(super) attachment: Option<String>,
}

/// An entry as it stands in the file. Those that are no WebSocket may leave out anything.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    started_date_time: Option<Date>,
    request: Option<WrittenRequest>,
    response: Option<WrittenResponse>,
    #[serde(rename = "_resourceType")]
    resource_type: Option<String>,
    #[serde(rename = "_webSocketMessages")]
    messages: Option<Vec<Frame>>,
}

#[derive(Deserialize)]
struct WrittenRequest {
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Default, Deserialize)]
struct WrittenResponse {
    status: Option<i64>,
    #[serde(default)]
    headers: Vec<Header>,
    content: Option<Content>,
    /// Of Chrome and mitmproxy.
    #[serde(rename = "_error")]
    error: Option<String>,
    /// Of Playwright.
    #[serde(rename = "_failureText")]
    failure_text: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct Content {
    #[serde(rename = "_file")]
    file: Option<String>,
}

/// In µs since 1970.
#[derive(Clone, Copy)]
struct Date(u64);

/// An entry, understood: nothing if it is no WebSocket.
struct Entry(Option<Socket>);

impl Written {
    fn is_socket(&self) -> bool {
        let has_scheme = || {
            let url = self.request.as_ref().map(|request| request.url.as_bytes()).unwrap_or_default();
            ["ws:", "wss:"].iter().any(|scheme| {
                url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
            })
        };
        let is_called_so = || self.resource_type.as_deref() == Some("websocket");
        self.messages.is_some() || is_called_so() || has_scheme()
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::<Written, _, _>(deserializer)
    }
}

/// An error begins with the name of its field and a colon.
impl TryFrom<Written> for Entry {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if !written.is_socket() {
            return Ok(Self(None));
        }
        let missing = |key: &str| format!("{key}: the key is missing");
        let start = written.started_date_time.ok_or_else(|| missing("startedDateTime"))?.0;
        let request = written.request.ok_or_else(|| missing("request"))?;
        let address = Address::parse(&request.url).map_err(|message| format!("request.url: {message}"))?;
        let response = written.response.unwrap_or_default();
        let attachment = response.content.and_then(|content| content.file).filter(|name| !name.is_empty());
        if let Some(name) = &attachment {
            check_name(name).map_err(|message| format!("response.content._file: {message}"))?;
        }
        let failures = [response.error, response.failure_text];
        Ok(Self(Some(Socket {
            start,
            address,
            headers: headers(request.headers),
            status: response.status.unwrap_or_default(),
            response_headers: headers(response.headers),
            failure: failures.into_iter().flatten().find(|failure| !failure.is_empty()),
            frames: written.messages.unwrap_or_default(),
            attachment,
        })))
    }
}

/// In small letters, as HTTP/2 demands and everybody else allows. Chrome writes the values of some headers that came more
/// than once as lines of one, and the pseudo-headers of HTTP/2 as headers.
fn headers(written: Vec<Header>) -> Vec<(String, String)> {
    let mut headers = Vec::with_capacity(written.len());
    for Header { name, value } in written.into_iter().filter(|header| !header.name.starts_with(':')) {
        let name = name.to_ascii_lowercase();
        headers.extend(value.split('\n').map(|value| (name.clone(), value.trim().to_owned())));
    }
    headers
}

/// A HAR file from somebody else must not have files read from elsewhere.
fn check_name(name: &str) -> Result<(), String> {
    let is_below =
        !name.contains(['\\', ':', '\0']) && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    match is_below {
        true => Ok(()),
        false => Err(format!(
            "expected the name of a file in the folder of the HAR file or below it, got {name:?}"
        )),
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
        let mut entries = Entries { sockets: Vec::new(), others: 0 };
        while let Some(Entry(entry)) = list.next_element()? {
            let place = entries.sockets.len() + entries.others;
            match entry {
                None => entries.others += 1,
                Some(_) if entries.sockets.len() == MAX_CONNECTIONS => {
                    return Err(A::Error::custom(format!("expected at most {MAX_CONNECTIONS} WebSockets")));
                }
                Some(socket) => entries.sockets.push((place, socket)),
            }
        }
        Ok(entries)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let date = chrono::DateTime::parse_from_rfc3339(&text).ok();
        let us = date.and_then(|date| u64::try_from(date.timestamp_micros()).ok());
        us.map(Self).ok_or_else(|| {
            let example = "2026-11-22T05:00:00.000Z";
            D::Error::custom(format!("expected a date since 1970 such as {example:?}, got {text:?}"))
        })
    }
}
