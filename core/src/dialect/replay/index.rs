//! Where the connections of a recording stand in its file, so that each can be read by itself.

use std::collections::HashMap;
use std::time::Duration;

use crate::recording::{EventKind, Line, Lines, Placed, RecordingError};

/// How many connections a recording may have to be replayed.
const MAX_CONNECTIONS: usize = 100_000;

/// How long their paths and subprotocols may be together, in bytes.
const MAX_NAMES: usize = 16 << 20;

/// A recorded connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recorded {
    /// Its path, without the query.
    pub(super) path: Box<str>,
    /// How its opening handshake was answered.
    pub(super) opening: Opening,
    /// Its number within its run.
    pub(super) connection: u64,
    /// When it was opened, since its run began.
    pub(super) at: Duration,
    /// The number of the line with which it begins.
    pub(super) line: u64,
    /// Where that line begins in the file, in bytes.
    pub(super) start: u64,
    /// Where its last line ends.
    pub(super) end: u64,
}

/// The answer to a recorded opening handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// 101, with this subprotocol.
    Accepted(Option<Box<str>>),
    /// This status.
    Refused(u16),
}

/// All connections of a recording.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) connections: Vec<Recorded>,
    /// By path, and by path and query, in their order.
    by_target: HashMap<Box<str>, Vec<usize>>,
    /// What a person should know of the file, such as that its last line is torn.
    pub(super) warnings: Vec<String>,
}

/// Reads a recording for its [`Index`], part by part.
#[derive(Debug, Default)]
pub(super) struct IndexBuilder {
    lines: Lines,
    index: Index,
    /// The connections of the present run that have not ended, by number.
    open: HashMap<u64, usize>,
    names: usize,
    missed: u64,
}

impl Index {
    /// The connections with this path and query, or if there is no query or none with it, with this path: what they have in
    /// common, and which they are. `None`: the path was not recorded.
    pub(super) fn of_target(&self, path: &str, query: &str) -> Option<(&str, &[usize])> {
        let exact = (!query.is_empty()).then(|| self.by_target.get_key_value(&*format!("{path}?{query}")));
        let found = exact.flatten().or_else(|| self.by_target.get_key_value(path));
        found.map(|(target, places)| (&**target, places.as_slice()))
    }
}

impl IndexBuilder {
    /// The next bytes of the file; a mistake in it is told with its line.
    pub(super) fn push(&mut self, part: &[u8], is_last: bool) -> Result<(), RecordingError> {
        self.lines.push(part);
        while let Some(placed) = self.lines.next_line()? {
            self.add(placed)?;
        }
        if is_last && let Some(placed) = self.lines.finish()? {
            self.add(placed)?;
        }
        Ok(())
    }

    /// The index, after the last part.
    pub(super) fn finish(mut self) -> Result<Index, String> {
        if self.index.connections.is_empty() {
            return Err("there is no connection in it".to_owned());
        }
        if self.lines.is_torn() {
            let text = format!("its last line, {}, is torn and is left out", self.lines.number());
            self.index.warnings.push(text);
        }
        if self.missed > 0 {
            let text =
                format!("{} events are missing in it, as its lines of the type \"gap\" say", self.missed);
            self.index.warnings.push(text);
        }
        Ok(self.index)
    }

    fn add(&mut self, Placed { line, number, offset, length }: Placed) -> Result<(), RecordingError> {
        let event = match line {
            Line::Header(_) => {
                self.open.clear();
                return Ok(());
            }
            Line::Gap(gap) => {
                self.missed = self.missed.saturating_add(gap.missed);
                return Ok(());
            }
            Line::Event(event) => event,
        };
        let fail = |field: &str, text: String| Err(RecordingError::new(number, field, text));
        let (path, opening) = match event.kind {
            EventKind::Open(open) => {
                (open.path, Opening::Accepted(open.subprotocol.map(String::into_boxed_str)))
            }
            EventKind::Refuse(refuse) => (refuse.path, Opening::Refused(refuse.status)),
            // A fault of an opening handshake may stand before its line.
            EventKind::Fault { .. } => return Ok(()),
            EventKind::Message { .. } | EventKind::Close { .. } => {
                let Some(&place) = self.open.get(&event.connection) else {
                    let text = format!(
                        "{} was not opened; write a line of the type \"open\" for it before",
                        event.connection
                    );
                    return fail("connection", text);
                };
                self.index.connections[place].end = offset + length;
                return Ok(());
            }
        };
        if self.open.contains_key(&event.connection) {
            let text = format!("{} was opened already in this run; count on", event.connection);
            return fail("connection", text);
        }
        let target = path.split('#').next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, exact): (Box<str>, _) = (path.into(), format!("{path}?{query}").into_boxed_str());
        self.names += path.len() * 2 + exact.len();
        if let Opening::Accepted(Some(subprotocol)) = &opening {
            self.names += subprotocol.len();
        }
        let place = self.index.connections.len();
        if place == MAX_CONNECTIONS || self.names > MAX_NAMES {
            let text = format!(
                "more than {MAX_CONNECTIONS} connections, or {} MiB of paths, cannot be replayed; split the file",
                MAX_NAMES >> 20
            );
            return fail("", text);
        }
        self.open.insert(event.connection, place);
        self.index.by_target.entry(path.clone()).or_default().push(place);
        if !query.is_empty() {
            self.index.by_target.entry(exact).or_default().push(place);
        }
        self.index.connections.push(Recorded {
            path,
            opening,
            connection: event.connection,
            at: event.at,
            line: number,
            start: offset,
            end: offset + length,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "{\"switchboard\":\"recording\",\"version\":1,\"startedAt\":\"2026-11-22T05:00:00.000Z\"}\n";

    fn index(lines: &str) -> Result<Index, String> {
        let mut builder = IndexBuilder::default();
        let text = format!("{HEADER}{lines}");
        for part in text.as_bytes().chunks(50) {
            builder.push(part, false).map_err(|error| error.to_string())?;
        }
        builder.push(b"", true).map_err(|error| error.to_string())?;
        builder.finish()
    }

    #[test]
    fn connections_are_found_in_every_run() {
        let run = r#"{"at":1,"connection":1,"type":"open","path":"/a?token=***"}
{"at":2,"connection":2,"type":"refuse","path":"/b","status":401,"reason":"no"}
{"at":3,"connection":1,"type":"message","from":"server","json":{}}
{"at":4,"type":"gap","missed":3}
"#;
        let index = index(&format!("{run}{HEADER}{run}{{\"at\"")).unwrap();
        let seen: Vec<_> = index.connections.iter().map(|it| (&*it.path, it.connection, it.line)).collect();
        assert_eq!(seen, [("/a", 1, 2), ("/b", 2, 3), ("/a", 1, 7), ("/b", 2, 8)]);
        assert_eq!(index.of_target("/a", ""), Some(("/a", &[0, 2][..])));
        assert_eq!(index.of_target("/c", ""), None);
        let first = &index.connections[0];
        let end = (HEADER.len() + run.find("{\"at\":4").unwrap()) as u64;
        assert_eq!((first.start, first.end), (HEADER.len() as u64, end));
        assert_eq!(index.warnings.len(), 2, "{:?}", index.warnings);
    }

    #[test]
    fn whoever_asks_as_a_recorded_client_did_gets_its_connection() {
        let lines: String = ["/a?user=ann", "/a?user=bob", "/a", "/a?user=ann"]
            .iter()
            .enumerate()
            .map(|(at, path)| {
                format!("{{\"at\":{at},\"connection\":{},\"type\":\"open\",\"path\":\"{path}\"}}\n", at + 1)
            })
            .collect();
        let index = index(&lines).unwrap();
        for (query, expected) in [
            ("user=ann", ("/a?user=ann", &[0, 3][..])),
            ("user=bob", ("/a?user=bob", &[1])),
            ("", ("/a", &[0, 1, 2, 3])),
            ("user=eve", ("/a", &[0, 1, 2, 3])),
        ] {
            assert_eq!(index.of_target("/a", query), Some(expected), "{query}");
        }
    }

    #[test]
    fn mistakes_name_their_line() {
        for (lines, expected) in [
            ("", "there is no connection in it"),
            (
                "{\"at\":3,\"connection\":1,\"type\":\"message\",\"from\":\"server\",\"json\":{}}\n",
                "line 2: connection: 1 was not opened; write a line of the type \"open\" for it before",
            ),
            (
                "{\"at\":1,\"connection\":1,\"type\":\"open\",\"path\":\"/\"}\n{\"at\":2,\"connection\":1,\"type\":\"open\",\"path\":\"/\"}\n",
                "line 3: connection: 1 was opened already in this run; count on",
            ),
            (
                "{\"at\":1,\"connection\":1,\"type\":\"open\",\"pth\":\"/\"}\n",
                "line 2: pth: unknown key; did you mean \"path\"?",
            ),
        ] {
            assert_eq!(index(lines).map(|_| ()).unwrap_err(), expected);
        }
    }
}
