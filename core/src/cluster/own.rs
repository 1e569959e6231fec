//! The entries of this node, which the others come to know.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::frame::{Change, MAX_KEY, MAX_VALUE};

/// About how much one message carries, in bytes; one entry may be more.
const PART: usize = 256 * 1024;

/// How many changes one message carries at most.
const MOST_CHANGES: usize = 10_000;

/// Entries and the changes that were not published yet.
#[derive(Debug, Default)]
pub(super) struct Own {
    entries: BTreeMap<Arc<str>, Bytes>,
    /// How many changes there were.
    version: u64,
    /// The last of them, in order.
    changes: Vec<Change>,
}

impl Own {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Those whose key begins so.
    pub(super) fn entries<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Bytes)> {
        beginning(&self.entries, prefix)
    }

    /// Sets or removes an entry; false if it is too large.
    pub(super) fn set(&mut self, key: &str, value: Option<Bytes>) -> bool {
        if key.len() > MAX_KEY || value.as_ref().is_some_and(|value| value.len() > MAX_VALUE) {
            return false;
        }
        if self.entries.get(key) == value.as_ref() {
            return true;
        }
        let key: Arc<str> = key.into();
        match &value {
            Some(value) => self.entries.insert(key.clone(), value.clone()),
            None => self.entries.remove(&key),
        };
        self.version += 1;
        self.changes.push((key, value));
        true
    }

    /// The next changes to be published, and the version that the first of them makes.
    pub(super) fn take_changes(&mut self) -> Option<(u64, Vec<Change>)> {
        let first = self.version + 1 - self.changes.len() as u64;
        let (mut bytes, mut count) = (0, 0);
        for change in self.changes.iter().take(MOST_CHANGES) {
            if bytes >= PART {
                break;
            }
            bytes += size(change);
            count += 1;
        }
        let rest = self.changes.split_off(count);
        let taken = std::mem::replace(&mut self.changes, rest);
        (!taken.is_empty()).then_some((first, taken))
    }

    /// They are not published: a snapshot will tell them.
    pub(super) fn forget_changes(&mut self) {
        self.changes.clear();
    }

    /// All entries, in parts; at least one.
    pub(super) fn snapshot(&self) -> Vec<Vec<(Arc<str>, Bytes)>> {
        let (mut parts, mut bytes) = (vec![Vec::new()], 0);
        for (key, value) in &self.entries {
            let is_full = bytes >= PART || parts.last().is_some_and(|part| part.len() == MOST_CHANGES);
            if is_full {
                parts.push(Vec::new());
                bytes = 0;
            }
            bytes += key.len() + value.len();
            if let Some(part) = parts.last_mut() {
                part.push((key.clone(), value.clone()));
            }
        }
        parts
    }
}

/// Entries whose key begins so.
pub(super) fn beginning<'a>(
    entries: &'a BTreeMap<Arc<str>, Bytes>,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Bytes)> {
    let from = entries.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
    from.map(|(key, value)| (&**key, value)).take_while(move |(key, _)| key.starts_with(prefix))
}

fn size((key, value): &Change) -> usize {
    key.len() + value.as_ref().map_or(0, Bytes::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_and_taken_in_order() {
        let mut own = Own::default();
        assert!(own.set("a", Some("1".into())) && own.set("b", Some("2".into())));
        assert!(own.set("a", Some("1".into())), "nothing changes");
        assert!(own.set("a", None) && own.set("none", None));
        let (first, changes) = own.take_changes().unwrap();
        let expected: [Change; 3] =
            [("a".into(), Some("1".into())), ("b".into(), Some("2".into())), ("a".into(), None)];
        assert_eq!((first, changes.as_slice(), own.version()), (1, &expected[..], 3));
        assert!(own.take_changes().is_none());
        assert!(!own.set("c", Some(vec![0; MAX_VALUE + 1].into())), "too large");
        assert!(own.set("c", Some("3".into())));
        assert_eq!(own.take_changes(), Some((4, vec![("c".into(), Some("3".into()))])));
        assert_eq!(own.snapshot(), [vec![("b".into(), "2".into()), ("c".into(), "3".into())]]);
    }

    #[test]
    fn much_goes_in_parts() {
        let mut own = Own::default();
        let large = Bytes::from(vec![0; 100_000]);
        for number in 0..10 {
            own.set(&format!("key {number}"), Some(large.clone()));
        }
        let mut taken = Vec::new();
        while let Some((first, changes)) = own.take_changes() {
            assert_eq!(first, taken.len() as u64 + 1);
            taken.extend(changes);
            assert!(taken.len() % 3 == 0 || taken.len() == 10);
        }
        assert_eq!((taken.len(), own.snapshot().len()), (10, 4));
        assert_eq!(Own::default().snapshot(), [vec![]]);
    }
}
