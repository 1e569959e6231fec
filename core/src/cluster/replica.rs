//! What this node knows of the entries of another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::frame::Change;
use super::own::beginning;

/// How much one node may hold at another one, in bytes. What is more is left out, and asked for again and again.
const MAX_BYTES: usize = 64 << 20;

/// What an entry costs beside its key and its value, in bytes.
const COST: usize = 64;

/// A copy of the entries of another node.
#[derive(Debug, Default)]
pub(super) struct Replica {
    entries: BTreeMap<Arc<str>, Bytes>,
    /// What they cost.
    bytes: usize,
    /// The version that the entries have; `None`: no snapshot has come yet.
    version: Option<u64>,
    /// The version that the node has, as far as it was told.
    announced: u64,
    /// The parts of a snapshot that have come.
    arriving: Option<Arriving>,
}

#[derive(Debug)]
struct Arriving {
    version: u64,
    next: u32,
    entries: BTreeMap<Arc<str>, Bytes>,
    bytes: usize,
}

impl Replica {
    /// Those whose key begins so.
    pub(super) fn entries<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Bytes)> {
        beginning(&self.entries, prefix)
    }

    /// What it costs to know all of this, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.arriving.as_ref().map_or(0, |arriving| arriving.bytes)
    }

    pub(super) fn into_keys(self) -> Vec<Arc<str>> {
        self.entries.into_keys().collect()
    }

    /// Whether a snapshot is needed.
    pub(super) fn is_stale(&self) -> bool {
        self.version.is_none_or(|version| version < self.announced)
    }

    /// The node says which version it has.
    pub(super) fn announced(&mut self, version: u64) {
        self.announced = self.announced.max(version);
    }

    /// Changes came, of which the first makes the version `first`, and there is room for so many bytes more. Gives what is
    /// different now.
    pub(super) fn change(&mut self, first: u64, changes: Vec<Change>, room: usize) -> Vec<Change> {
        let last = first.saturating_add(changes.len() as u64).saturating_sub(1);
        self.announced(last);
        let mut different = Vec::new();
        let Some(version) = self.version.filter(|version| first <= version.saturating_add(1)) else {
            return different;
        };
        // They may be known already from a snapshot.
        let known = usize::try_from(version.saturating_add(1) - first).unwrap_or(usize::MAX);
        let most = MAX_BYTES.min(self.bytes.saturating_add(room));
        for (number, (key, value)) in changes.into_iter().enumerate().skip(known) {
            let after = self.bytes_after(&key, value.as_ref());
            if after > most && after > self.bytes {
                // As if this one, and those behind it, had not come.
                break;
            }
            self.version = Some(first.saturating_add(number as u64));
            self.bytes = after;
            if self.set(&key, value.as_ref()) {
                different.push((key, value));
            }
        }
        different
    }

    /// A part of a snapshot came, and there is room for so many bytes more. Gives what is different when the last one has come.
    pub(super) fn restore(
        &mut self,
        version: u64,
        (part, parts): (u32, u32),
        entries: Vec<(Arc<str>, Bytes)>,
        room: usize,
    ) -> Vec<Change> {
        self.announced(version);
        if self.version.is_some_and(|known| known >= version) {
            return Vec::new();
        }
        if part == 0 {
            self.arriving = Some(Arriving { version, next: 0, entries: BTreeMap::new(), bytes: 0 });
        }
        let Some(arriving) = self.arriving.as_mut().filter(|it| (it.version, it.next) == (version, part))
        else {
            return Vec::new();
        };
        arriving.next += 1;
        let more: usize = entries.iter().map(|(key, value)| cost(key, value)).sum();
        arriving.bytes += more;
        if arriving.bytes > MAX_BYTES || more > room {
            self.arriving = None;
            return Vec::new();
        }
        arriving.entries.extend(entries.into_iter().map(|(key, value)| (key, alone(&value))));
        if arriving.next < parts {
            return Vec::new();
        }
        let Some(Arriving { entries, .. }) = self.arriving.take() else { return Vec::new() };
        self.version = Some(version);
        // A key may have come twice.
        self.bytes = entries.iter().map(|(key, value)| cost(key, value)).sum();
        let before = std::mem::replace(&mut self.entries, entries);
        let gone = before.keys().filter(|key| !self.entries.contains_key(*key));
        let gone: Vec<Change> = gone.map(|key| (key.clone(), None)).collect();
        let news = self.entries.iter().filter(|(key, value)| before.get(*key) != Some(value));
        gone.into_iter().chain(news.map(|(key, value)| (key.clone(), Some(value.clone())))).collect()
    }

    /// Whether that is different from before.
    fn set(&mut self, key: &Arc<str>, value: Option<&Bytes>) -> bool {
        match value {
            Some(value) => self.entries.insert(key.clone(), alone(value)).as_ref() != Some(value),
            None => self.entries.remove(key).is_some(),
        }
    }

    /// What the entries cost once this one is so.
    fn bytes_after(&self, key: &str, value: Option<&Bytes>) -> usize {
        let before = self.entries.get(key).map_or(0, |before| cost(key, before));
        self.bytes - before + value.map_or(0, |value| cost(key, value))
    }
}

fn cost(key: &str, value: &Bytes) -> usize {
    COST + key.len() + value.len()
}

/// A value that does not keep the whole message of the broker that it came in.
fn alone(value: &Bytes) -> Bytes {
    Bytes::copy_from_slice(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than is needed.
    const ROOM: usize = 1 << 20;

    fn set(key: &str, value: &str) -> Change {
        (key.into(), Some(Bytes::copy_from_slice(value.as_bytes())))
    }

    fn entry(key: &str, value: &str) -> (Arc<str>, Bytes) {
        (key.into(), Bytes::copy_from_slice(value.as_bytes()))
    }

    #[test]
    fn changes_count_from_a_snapshot_on_and_only_without_a_gap() {
        let mut replica = Replica::default();
        assert!(replica.is_stale());
        assert_eq!(replica.change(1, vec![set("a", "1")], ROOM), [], "there is no snapshot yet");
        assert_eq!(replica.restore(2, (0, 1), vec![entry("a", "2")], ROOM), [set("a", "2")]);
        assert!(!replica.is_stale());
        // Version 2 is known.
        assert_eq!(replica.change(2, vec![set("a", "2"), set("b", "1")], ROOM), [set("b", "1")]);
        assert_eq!(replica.change(4, vec![("a".into(), None)], ROOM), [("a".into(), None)]);
        assert_eq!(replica.change(6, vec![set("c", "1")], ROOM), [], "version 5 is missing");
        assert!(replica.is_stale());
        assert_eq!(
            replica.restore(6, (0, 1), vec![entry("c", "1")], ROOM),
            [("b".into(), None), set("c", "1")],
            "the difference"
        );
        assert!(!replica.is_stale());
        replica.announced(7);
        assert!(replica.is_stale());
    }

    #[test]
    fn a_snapshot_counts_only_whole() {
        let mut replica = Replica::default();
        assert_eq!(replica.restore(3, (1, 2), vec![entry("b", "1")], ROOM), [], "the first part is missing");
        assert_eq!(replica.restore(3, (0, 2), vec![entry("a", "1")], ROOM), []);
        assert_eq!(replica.restore(4, (1, 2), vec![entry("b", "1")], ROOM), [], "that is another one");
        assert_eq!(replica.restore(3, (1, 2), vec![entry("b", "1")], ROOM), [set("a", "1"), set("b", "1")]);
        assert!(replica.is_stale(), "version 4 was heard of");
        assert_eq!(replica.restore(2, (0, 1), vec![], ROOM), [], "an old one");
    }

    #[test]
    fn what_has_no_room_is_left_out_and_asked_for() {
        let mut replica = Replica::default();
        let of = |bytes: usize| Bytes::from(vec![b'x'; bytes]);
        let all = vec![("a".into(), of(100)), ("b".into(), of(100))];
        assert_eq!(replica.restore(1, (0, 1), all.clone(), 2 * (COST + 101) - 1), []);
        assert!(replica.is_stale() && replica.bytes() == 0);
        assert_eq!(replica.restore(1, (0, 1), all, 2 * (COST + 101)).len(), 2);
        let before = replica.bytes();
        assert_eq!(before, 2 * (COST + 101));
        // One that replaces another one costs only what is more.
        let changes = vec![("a".into(), Some(of(110))), ("c".into(), Some(of(1))), ("b".into(), None)];
        assert_eq!(replica.change(2, changes.clone(), 10), changes[..1]);
        assert!(replica.is_stale(), "the second has no room, and the third is behind it");
        assert_eq!(replica.bytes(), before + 10);
        assert_eq!(replica.change(3, changes[1..].to_vec(), COST + 2), changes[1..]);
        assert!(!replica.is_stale());
        // What takes less is always taken.
        assert_eq!(replica.change(5, vec![("a".into(), None)], 0), [("a".into(), None)]);
        assert_eq!(replica.bytes(), COST + 2);
    }

    #[test]
    fn one_node_has_a_limit_however_much_room_there_is() {
        let mut replica = Replica::default();
        replica.restore(0, (0, 1), Vec::new(), ROOM);
        let large = Bytes::from(vec![0; 1 << 20]);
        for version in 1..=MAX_BYTES as u64 >> 20 {
            replica.change(version, vec![(version.to_string().into(), Some(large.clone()))], usize::MAX);
        }
        assert!(replica.is_stale() && replica.bytes() <= MAX_BYTES, "{}", replica.bytes());
    }
}
