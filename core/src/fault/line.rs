//! One direction of a connection with faults: what waits there, and when it goes on.

use std::collections::VecDeque;

use crate::time::Instant;

/// How long in ms what is to be overtaken waits for what overtakes it.
const OVERTAKEN_WITHIN: u64 = 1000;

/// What passes in one direction, in order.
#[derive(Debug)]
pub(crate) struct Line<T> {
    waiting: VecDeque<Entry<T>>,
    /// What the next message overtakes, and how long it waits for that at most.
    held: Vec<Entry<T>>,
    held_until: Instant,
    /// When the latest entry goes on.
    latest: Instant,
    /// Until when the throttled wire is busy, in µs.
    busy_until: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<T> {
    due: Instant,
    bytes: usize,
    kind: Kind,
    item: T,
}

/// How one frame passes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Passage {
    /// Bytes on the wire.
    pub(crate) bytes: usize,
    /// In ms.
    pub(crate) latency: u64,
    /// Bytes a second.
    pub(crate) throttle: Option<u64>,
    /// The next one overtakes it.
    pub(crate) is_overtaken: bool,
    pub(crate) kind: Kind,
}

/// What passes, as far as its place among the others depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It overtakes a message that is to be overtaken, and may be dropped.
    Message,
    /// A ping or pong: it overtakes nothing on purpose.
    #[default]
    Control,
    /// A close frame, or an end: nothing comes behind it.
    Last,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            held: Vec::new(),
            held_until: Instant::default(),
            latest: Instant::default(),
            busy_until: 0,
            bytes: 0,
        }
    }
}

impl<T> Line<T> {
    /// Appends one frame.
    pub(crate) fn push(&mut self, now: Instant, item: T, passage: Passage) {
        let Passage { bytes, latency, throttle, is_overtaken, kind } = passage;
        let sent = match throttle {
            Some(rate) => {
                let now = now.as_ms().saturating_mul(1000);
                let time = (bytes as u64).saturating_mul(1_000_000).div_ceil(rate.max(1));
                self.busy_until = self.busy_until.max(now).saturating_add(time);
                Instant::from_ms(self.busy_until.div_ceil(1000))
            }
            None => now,
        };
        let entry = Entry { due: sent + latency, bytes, kind, item };
        self.bytes += bytes;
        if is_overtaken {
            self.held_until = now + OVERTAKEN_WITHIN;
            return self.held.push(entry);
        }
        if kind == Kind::Last {
            self.release_held();
        }
        self.append(entry);
        if kind == Kind::Message {
            self.release_held();
        }
    }

    /// Takes the next frame that goes on by now.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<T> {
        if !self.held.is_empty() && self.held_until <= now {
            self.release_held();
        }
        let entry = self.waiting.pop_front_if(|entry| entry.due <= now)?;
        self.bytes -= entry.bytes;
        Some(entry.item)
    }

    /// Lets everything go on now.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.release_held();
        self.waiting.iter_mut().for_each(|entry| entry.due = now);
        self.latest = now;
    }

    /// When something has to be done next.
    pub(crate) fn next(&self) -> Option<Instant> {
        let held = (!self.held.is_empty()).then_some(self.held_until);
        self.waiting.front().map(|entry| entry.due).into_iter().chain(held).min()
    }

    /// Drops the oldest messages until less than `limit` bytes wait; how many.
    pub(crate) fn drop_oldest(&mut self, limit: usize) -> usize {
        let before = self.waiting.len();
        let bytes = &mut self.bytes;
        self.waiting.retain(|entry| {
            let is_dropped = entry.kind == Kind::Message && *bytes >= limit;
            *bytes -= if is_dropped { entry.bytes } else { 0 };
            !is_dropped
        });
        before - self.waiting.len()
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.held.clear();
        self.bytes = 0;
    }

    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many frames wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.held.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn append(&mut self, mut entry: Entry<T>) {
        entry.due = entry.due.max(self.latest);
        self.latest = entry.due;
        self.waiting.push_back(entry);
    }

    fn release_held(&mut self) {
        for entry in std::mem::take(&mut self.held) {
            self.append(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: Passage =
        Passage { bytes: 100, latency: 0, throttle: None, is_overtaken: false, kind: Kind::Message };

    /// Everything that passes, with the ms at which it does.
    fn all(line: &mut Line<char>) -> Vec<(u64, char)> {
        let mut passed = Vec::new();
        while let Some(next) = line.next() {
            while let Some(item) = line.take_due(next) {
                passed.push((next.as_ms(), item));
            }
        }
        assert_eq!((line.bytes(), line.len()), (0, 0));
        passed
    }

    #[test]
    fn order_is_kept_whatever_the_latency() {
        let mut line = Line::default();
        for (latency, item) in [(30, 'a'), (10, 'b'), (50, 'c'), (0, 'd')] {
            line.push(Instant::from_ms(5), item, Passage { latency, ..MESSAGE });
        }
        assert_eq!(line.take_due(Instant::from_ms(34)), None);
        assert_eq!(all(&mut line), [(35, 'a'), (35, 'b'), (55, 'c'), (55, 'd')]);
    }

    #[test]
    fn a_throttled_wire_takes_a_frame_after_another() {
        let mut line = Line::default();
        let throttle = Some(1000);
        for item in ['a', 'b'] {
            line.push(Instant::from_ms(5), item, Passage { throttle, latency: 7, ..MESSAGE });
        }
        assert_eq!(all(&mut line), [(112, 'a'), (212, 'b')]);
        line.push(Instant::from_ms(300), 'c', Passage { throttle, ..MESSAGE });
        assert_eq!(all(&mut line), [(400, 'c')]);
        line.push(Instant::from_ms(500), 'd', Passage { throttle: Some(3), bytes: 1, ..MESSAGE });
        assert_eq!(all(&mut line), [(834, 'd')]);
    }

    #[test]
    fn one_that_is_overtaken_waits_a_second_at_most() {
        let mut line = Line::default();
        line.push(Instant::from_ms(5), 'a', Passage { is_overtaken: true, ..MESSAGE });
        line.push(Instant::from_ms(6), 'b', MESSAGE);
        assert_eq!(all(&mut line), [(6, 'b'), (6, 'a')]);
        line.push(Instant::from_ms(10), 'c', Passage { is_overtaken: true, ..MESSAGE });
        assert_eq!(all(&mut line), [(1010, 'c')]);
        let now = Instant::from_ms(2000);
        line.push(now, 'd', Passage { is_overtaken: true, ..MESSAGE });
        line.push(now, 'p', Passage { kind: Kind::Control, ..MESSAGE });
        line.push(now, 'x', Passage { kind: Kind::Last, ..MESSAGE });
        assert_eq!(all(&mut line), [(2000, 'p'), (2000, 'd'), (2000, 'x')]);
    }

    #[test]
    fn only_messages_are_dropped() {
        let mut line = Line::default();
        for (item, kind) in
            [('a', Kind::Message), ('p', Kind::Control), ('b', Kind::Message), ('c', Kind::Message)]
        {
            line.push(Instant::default(), item, Passage { latency: 1, kind, ..MESSAGE });
        }
        assert_eq!(line.drop_oldest(300), 2);
        assert_eq!(all(&mut line), [(1, 'p'), (1, 'c')]);
    }
}
