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
    overtaken: Vec<Entry<T>>,
    overtaken_until: Instant,
    /// Control frames that came while a breakpoint held a message: they do not wait for it.
    control: VecDeque<Entry<T>>,
    /// How many messages breakpoints hold.
    held: usize,
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
    /// What a breakpoint holds, until it is decided: nothing behind it goes on.
    held: Option<u64>,
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
    /// A breakpoint holds it, under this number.
    pub(crate) held: Option<u64>,
}

/// What passes, as far as its place among the others depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It overtakes a message that is to be overtaken, and may be dropped.
    Message,
    /// A ping or pong: it overtakes nothing but what a breakpoint holds.
    #[default]
    Control,
    /// A close frame, or an end: nothing comes behind it.
    Last,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            overtaken: Vec::new(),
            overtaken_until: Instant::default(),
            control: VecDeque::new(),
            held: 0,
            latest: Instant::default(),
            busy_until: 0,
            bytes: 0,
        }
    }
}

impl<T> Line<T> {
    /// Appends one frame.
    pub(crate) fn push(&mut self, now: Instant, item: T, passage: Passage) {
        let Passage { bytes, latency, throttle, is_overtaken, kind, held } = passage;
        let sent = match throttle {
            Some(rate) => {
                let now = now.as_ms().saturating_mul(1000);
                let time = (bytes as u64).saturating_mul(1_000_000).div_ceil(rate.max(1));
                self.busy_until = self.busy_until.max(now).saturating_add(time);
                Instant::from_ms(self.busy_until.div_ceil(1000))
            }
            None => now,
        };
        let entry = Entry { due: sent + latency, bytes, kind, held, item };
        self.bytes += bytes;
        self.held += usize::from(held.is_some());
        if is_overtaken {
            self.overtaken_until = now + OVERTAKEN_WITHIN;
            return self.overtaken.push(entry);
        }
        if kind == Kind::Control && (self.held > 0 || !self.control.is_empty()) {
            return append(&mut self.control, entry);
        }
        if kind == Kind::Last {
            self.release_overtaken();
        }
        self.append(entry);
        if kind == Kind::Message {
            self.release_overtaken();
        }
    }

    /// Takes the next frame that goes on by now.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<T> {
        if !self.overtaken.is_empty() && self.overtaken_until <= now {
            self.release_overtaken();
        }
        let control = self.control.pop_front_if(|entry| entry.due <= now);
        let next = || self.waiting.pop_front_if(|entry| entry.held.is_none() && entry.due <= now);
        let entry = control.or_else(next)?;
        self.bytes -= entry.bytes;
        Some(entry.item)
    }

    /// Lets a message go on that a breakpoint holds, changed or as it is, in its place. `change` gives its bytes on the wire
    /// from now on. False: it is not there.
    pub(crate) fn release(&mut self, held: u64, change: impl FnOnce(&mut T) -> usize) -> bool {
        let mut entries = self.waiting.iter_mut().chain(&mut self.overtaken);
        let Some(entry) = entries.find(|entry| entry.held == Some(held)) else { return false };
        entry.held = None;
        let bytes = change(&mut entry.item);
        self.bytes = self.bytes - entry.bytes + bytes;
        entry.bytes = bytes;
        self.held -= 1;
        true
    }

    /// Drops a message that a breakpoint holds. False: it is not there.
    pub(crate) fn drop_held(&mut self, held: u64) -> bool {
        let is_it = |entry: &Entry<T>| entry.held == Some(held);
        let at = self.waiting.iter().position(is_it);
        let entry = match at {
            Some(at) => self.waiting.remove(at),
            None => self.overtaken.extract_if(.., |entry| is_it(entry)).next(),
        };
        let Some(entry) = entry else { return false };
        self.bytes -= entry.bytes;
        self.held -= 1;
        true
    }

    /// Lets everything go on now that no breakpoint holds.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.release_overtaken();
        self.waiting.iter_mut().chain(&mut self.control).for_each(|entry| entry.due = now);
        self.latest = now;
    }

    /// When something has to be done next. What a breakpoint holds is not waited for here.
    pub(crate) fn next(&self) -> Option<Instant> {
        let overtaken = (!self.overtaken.is_empty()).then_some(self.overtaken_until);
        let front = self.waiting.front().filter(|entry| entry.held.is_none());
        front.into_iter().chain(self.control.front()).map(|entry| entry.due).chain(overtaken).min()
    }

    /// Drops the oldest messages that no breakpoint holds until less than `limit` bytes wait; how many.
    pub(crate) fn drop_oldest(&mut self, limit: usize) -> usize {
        let before = self.waiting.len();
        let bytes = &mut self.bytes;
        self.waiting.retain(|entry| {
            let is_dropped = entry.kind == Kind::Message && entry.held.is_none() && *bytes >= limit;
            *bytes -= if is_dropped { entry.bytes } else { 0 };
            !is_dropped
        });
        before - self.waiting.len()
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.overtaken.clear();
        self.control.clear();
        (self.bytes, self.held) = (0, 0);
    }

    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many frames wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.overtaken.len() + self.control.len()
    }

    /// How many messages breakpoints hold.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn append(&mut self, mut entry: Entry<T>) {
        entry.due = entry.due.max(self.latest);
        self.latest = entry.due;
        self.waiting.push_back(entry);
    }

    fn release_overtaken(&mut self) {
        for entry in std::mem::take(&mut self.overtaken) {
            self.append(entry);
        }
    }
}

/// Appends a frame that goes on no sooner than the one before it.
fn append<T>(waiting: &mut VecDeque<Entry<T>>, mut entry: Entry<T>) {
    entry.due = entry.due.max(waiting.back().map_or(entry.due, |last| last.due));
    waiting.push_back(entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: Passage = Passage {
        bytes: 100,
        latency: 0,
        throttle: None,
        is_overtaken: false,
        kind: Kind::Message,
        held: None,
    };

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

    #[test]
    fn what_is_held_stops_messages_and_ends_but_no_control_frames() {
        let mut line = Line::default();
        let now = Instant::from_ms(5);
        for (item, kind, held) in [
            ('a', Kind::Message, None),
            ('h', Kind::Message, Some(1)),
            ('b', Kind::Message, None),
            ('p', Kind::Control, None),
            ('i', Kind::Message, Some(2)),
            ('x', Kind::Last, None),
        ] {
            line.push(now, item, Passage { kind, held, ..MESSAGE });
        }
        let take = |line: &mut Line<char>| -> String { std::iter::from_fn(|| line.take_due(now)).collect() };
        assert_eq!((take(&mut line), line.len(), line.held(), line.next()), ("pa".into(), 4, 2, None));
        assert_eq!(line.drop_oldest(0), 1, "what is held is not dropped");
        assert!(line.release(1, |item| (*item = 'H', 7).1) && !line.release(1, |_| 0));
        assert_eq!((take(&mut line), line.bytes()), ("H".into(), 200));
        assert!(line.drop_held(2) && !line.drop_held(2));
        assert_eq!((take(&mut line), line.bytes(), line.held()), ("x".into(), 0, 0));
    }

    #[test]
    fn control_frames_stay_in_order_among_themselves() {
        let mut line = Line::default();
        line.push(Instant::from_ms(5), 'h', Passage { held: Some(1), ..MESSAGE });
        for (latency, item) in [(30, 'a'), (0, 'b')] {
            line.push(Instant::from_ms(5), item, Passage { latency, kind: Kind::Control, ..MESSAGE });
        }
        assert!(line.release(1, |_| 100));
        line.push(Instant::from_ms(6), 'c', Passage { kind: Kind::Control, ..MESSAGE });
        assert_eq!(all(&mut line), [(5, 'h'), (35, 'a'), (35, 'b'), (35, 'c')]);
    }
}
