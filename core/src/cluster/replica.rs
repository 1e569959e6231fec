//! What this node knows of the entries of another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::frame::Change;
use super::own::beginning;

/// How much one node may hold at another one, in bytes. What is more is left out, and asked for again and again.
const MAX_BYTES: usize = 64 << 20;

/// A copy of the entries of another node.
#[derive(Debug, Default)]
pub(super) struct Replica {
    entries: BTreeMap<Arc<str>, Bytes>,
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

    /// Changes came, of which the first makes the version `first`. Gives what is different now.
    pub(super) fn change(&mut self, first: u64, changes: Vec<Change>) -> Vec<Change> {
        let last = (first + changes.len() as u64).saturating_sub(1);
        self.announced(last);
        // They may be known already from a snapshot.
        match self.version {
            Some(version) if first <= version + 1 => {
                let known = usize::try_from(version + 1 - first).unwrap_or(usize::MAX);
                let news: Vec<_> = changes.into_iter().skip(known).collect();
                self.version = Some(version.max(last));
                news.into_iter().filter(|(key, value)| self.set(key, value.as_ref())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A part of a snapshot came. Gives what is different when the last one has come.
    pub(super) fn restore(
        &mut self,
        version: u64,
        (part, parts): (u32, u32),
        entries: Vec<(Arc<str>, Bytes)>,
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
        arriving.bytes += entries.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        if arriving.bytes > MAX_BYTES {
            self.arriving = None;
            return Vec::new();
        }
        arriving.entries.extend(entries);
        if arriving.next < parts {
            return Vec::new();
        }
        let Some(Arriving { entries, .. }) = self.arriving.take() else { return Vec::new() };
        self.version = Some(version);
        let before = std::mem::replace(&mut self.entries, entries);
        let gone = before.keys().filter(|key| !self.entries.contains_key(*key));
        let gone: Vec<Change> = gone.map(|key| (key.clone(), None)).collect();
        let news = self.entries.iter().filter(|(key, value)| before.get(*key) != Some(value));
        gone.into_iter().chain(news.map(|(key, value)| (key.clone(), Some(value.clone())))).collect()
    }

    /// Whether that is different from before.
    fn set(&mut self, key: &Arc<str>, value: Option<&Bytes>) -> bool {
        match value {
            Some(value) => self.entries.insert(key.clone(), value.clone()).as_ref() != Some(value),
            None => self.entries.remove(key).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(replica.change(1, vec![set("a", "1")]), [], "there is no snapshot yet");
        assert_eq!(replica.restore(2, (0, 1), vec![entry("a", "2")]), [set("a", "2")]);
        assert!(!replica.is_stale());
        // Version 2 is known.
        assert_eq!(replica.change(2, vec![set("a", "2"), set("b", "1")]), [set("b", "1")]);
        assert_eq!(replica.change(4, vec![("a".into(), None)]), [("a".into(), None)]);
        assert_eq!(replica.change(6, vec![set("c", "1")]), [], "version 5 is missing");
        assert!(replica.is_stale());
        assert_eq!(
            replica.restore(6, (0, 1), vec![entry("c", "1")]),
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
        assert_eq!(replica.restore(3, (1, 2), vec![entry("b", "1")]), [], "the first part is missing");
        assert_eq!(replica.restore(3, (0, 2), vec![entry("a", "1")]), []);
        assert_eq!(replica.restore(4, (1, 2), vec![entry("b", "1")]), [], "that is another one");
        assert_eq!(replica.restore(3, (1, 2), vec![entry("b", "1")]), [set("a", "1"), set("b", "1")]);
        assert!(replica.is_stale(), "version 4 was heard of");
        assert_eq!(replica.restore(2, (0, 1), vec![]), [], "an old one");
    }
}
