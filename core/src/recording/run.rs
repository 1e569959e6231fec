//! One file that is being written: from a header to the end of what it records.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::interface::connection_id::ConnectionId;
use crate::recording::line::MAX_LINE;
use crate::recording::{Event, EventKind, Gap, Header, Line, Mask, Open, RecordSettings};
use crate::routing::pattern::Pattern;
use crate::state::connection::Connection;
use crate::state::id_hash::IdHash;
use crate::time::{Instant, Now};

/// How many bytes of a file may wait to be written, 16 MiB. Beyond that events are left out.
pub(super) const MAX_WAITING: usize = 16 << 20;

/// A file and who is recorded in it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) file: Arc<str>,
    pub(super) sources: Vec<Source>,
    /// For the header.
    pub(super) label: Option<String>,
    /// When its header was written.
    started: Option<Instant>,
    /// The number of each connection whose opening was written.
    numbers: HashMap<ConnectionId, u64, IdHash>,
    next_number: u64,
    /// Events that were left out since the last line.
    missed: u64,
    /// Lines that the host was not given yet.
    pub(super) out: Vec<u8>,
    pub(super) counts: Counts,
    /// The host could not write: nothing more is.
    pub(super) has_failed: bool,
}

/// What was written since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) missed: u64,
}

/// Some of those who are recorded in a file.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) origin: Origin,
    pub(super) reach: Reach,
    pub(super) mask: Mask,
}

/// Where a source comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The configuration of the route with this index.
    Route(usize, RecordSettings),
    /// It was started while the server runs.
    Started(u64),
}

/// Which connections a source is about.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    Everything,
    Route(usize),
    Paths(Box<Pattern>),
}

impl Reach {
    fn includes(&self, route: Option<usize>, path: &str) -> bool {
        match self {
            Reach::Everything => route.is_some(),
            Reach::Route(index) => route == Some(*index),
            Reach::Paths(pattern) => route.is_some() && pattern.matches(path).is_some(),
        }
    }
}

impl Run {
    pub(super) fn new(file: Arc<str>, label: Option<String>) -> Self {
        Self {
            file,
            sources: Vec::new(),
            label,
            started: None,
            numbers: HashMap::default(),
            next_number: 1,
            missed: 0,
            out: Vec::new(),
            counts: Counts::default(),
            has_failed: false,
        }
    }

    /// The place of the source that a connection of this route and path is of.
    pub(super) fn source(&self, route: Option<usize>, path: &str) -> Option<usize> {
        let is_for = |source: &Source| source.reach.includes(route, path);
        self.sources.iter().position(is_for).filter(|_| !self.has_failed)
    }

    /// Whether an opening of this connection was written.
    pub(super) fn knows(&self, id: ConnectionId) -> bool {
        self.numbers.contains_key(&id)
    }

    /// Writes the header, if there is none yet.
    pub(super) fn begin(&mut self, now: Now) -> Instant {
        *self.started.get_or_insert_with(|| {
            let source = self.label.as_deref().map(|label| Mask::default().url(label));
            Line::Header(Header { started_at: now.wall, source }).write(&mut self.out);
            now.instant
        })
    }

    /// The first event of a connection, by which it gets its number. `kind` is masked already; `waiting` is how much of the
    /// file the host has not written yet.
    pub(super) fn meet(&mut self, now: Now, waiting: usize, id: ConnectionId, kind: EventKind) -> bool {
        let is_written = self.write(now, waiting, self.next_number, kind);
        if is_written {
            self.numbers.insert(id, self.next_number);
            self.next_number += 1;
        }
        is_written
    }

    /// An event of a connection whose opening was written.
    pub(super) fn event(&mut self, now: Now, waiting: usize, id: ConnectionId, kind: EventKind) {
        if let Some(&number) = self.numbers.get(&id) {
            self.write(now, waiting, number, kind);
        }
    }

    /// Nothing follows for this connection.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        self.numbers.remove(&id);
    }

    /// What was left out is said as soon as there is room.
    pub(super) fn write_gap(&mut self, now: Now, waiting: usize) {
        if self.missed > 0 && self.has_room(waiting, 0) {
            let at = self.at(now);
            Line::Gap(Gap { at, missed: std::mem::take(&mut self.missed) }).write(&mut self.out);
        }
    }

    /// An event is left out.
    pub(super) fn miss(&mut self) {
        (self.missed, self.counts.missed) = (self.missed + 1, self.counts.missed + 1);
    }

    /// Nothing follows. What was left out is said, room or not.
    pub(super) fn end(&mut self, now: Now) {
        self.write_gap(now, 0);
    }

    fn write(&mut self, now: Now, waiting: usize, connection: u64, kind: EventKind) -> bool {
        let at = self.at(now);
        let start = self.out.len();
        if self.missed > 0 {
            Line::Gap(Gap { at, missed: self.missed }).write(&mut self.out);
        }
        let gap = self.out.len() - start;
        Line::Event(Event { at, connection, kind }).write(&mut self.out);
        let length = self.out.len() - start;
        // Nobody could read a longer line. A large one alone does not have to wait for others.
        if length - gap > MAX_LINE || !self.has_room(waiting + start, length) {
            self.out.truncate(start);
            self.miss();
            return false;
        }
        self.missed = 0;
        self.counts.events += 1;
        true
    }

    /// Whether so many more bytes may wait.
    fn has_room(&self, waiting: usize, more: usize) -> bool {
        waiting == 0 || waiting + more <= MAX_WAITING
    }

    fn at(&mut self, now: Now) -> Duration {
        let started = self.begin(now);
        Duration::from_millis(now.instant.ms_since(started))
    }
}

/// The opening of a connection that has opened already, as far as it is still known.
pub(super) fn opening(connection: &Connection) -> Open {
    let request = connection.request();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    Open {
        headers: pairs(request.headers()),
        subprotocol: connection.subprotocol().map(str::to_owned),
        ..Open::new(path)
    }
}

/// Headers as text. What is no UTF-8 in them is replaced.
pub(super) fn pairs(headers: &http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
