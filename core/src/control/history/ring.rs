//! The latest events of one kind or of one connection, bounded in number and in bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::control::event::Happening;
use crate::message::Message;

/// What an event counts beside its payload and texts, in bytes.
const EVENT_COST: usize = 256;

/// An event that is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Counts events.
    pub(crate) sequence: u64,
    /// In ms since 1970.
    pub(crate) at: u64,
    /// The names of its route; empty where it has none.
    pub(crate) route: Arc<RouteNames>,
    pub(crate) happening: Happening,
    /// How much it counts, while it is in a ring.
    bytes: usize,
}

/// What a route is called in requests and in events.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RouteNames {
    /// Its pattern with its first prefix.
    pub(crate) label: String,
    /// Its pattern as it was written.
    pub(crate) pattern: String,
}

impl Kept {
    pub(crate) fn new(sequence: u64, at: u64, route: Arc<RouteNames>, happening: Happening) -> Self {
        Self { sequence, at, route, happening, bytes: 0 }
    }

    /// The message for a subscriber that is shown so many bytes of a payload.
    pub(crate) fn told(&self, payload_bytes: usize) -> Message {
        self.happening.told(self.sequence, self.at, &self.route.label, payload_bytes)
    }
}

/// The latest of them, in order.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    kept: VecDeque<Kept>,
    bytes: usize,
}

impl Ring {
    /// Adds an event, and drops the oldest beyond the bounds; by how many bytes it has grown.
    pub(crate) fn push(&mut self, mut kept: Kept, most: usize, max_bytes: usize) -> isize {
        let before = self.bytes.cast_signed();
        kept.bytes = EVENT_COST + kept.happening.bytes();
        self.bytes += kept.bytes;
        self.kept.push_back(kept);
        if self.kept.len() > most {
            self.drop_oldest();
        }
        self.shrink_to(max_bytes);
        self.bytes.cast_signed() - before
    }

    /// Drops the oldest until there are no more bytes than that.
    pub(crate) fn shrink_to(&mut self, max_bytes: usize) {
        while self.bytes > max_bytes && self.drop_oldest() {}
    }

    /// How many bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The latest event.
    pub(crate) fn last(&self) -> Option<&Kept> {
        self.kept.back()
    }

    /// The events, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter()
    }

    fn drop_oldest(&mut self) -> bool {
        let dropped = self.kept.pop_front();
        self.bytes -= dropped.as_ref().map_or(0, |kept| kept.bytes);
        dropped.is_some()
    }
}
