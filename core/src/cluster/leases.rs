//! What only one node of the cluster does at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The leases that this node wants, and whether it holds them.
#[derive(Debug, Default)]
pub(super) struct Leases {
    wanted: BTreeMap<Arc<str>, bool>,
    /// Whether the broker has been away for so long that this node does everything itself.
    is_alone: bool,
}

impl Leases {
    /// Wants one more; whether it is new.
    pub(super) fn want(&mut self, name: &str) -> bool {
        let is_new = !self.wanted.contains_key(name);
        if is_new {
            self.wanted.insert(name.into(), self.is_alone);
        }
        is_new
    }

    /// Wants it no longer; whether it was wanted.
    pub(super) fn release(&mut self, name: &str) -> bool {
        self.wanted.remove(name).is_some()
    }

    pub(super) fn is_held(&self, name: &str) -> bool {
        self.wanted.get(name).copied().unwrap_or(false)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.wanted.keys()
    }

    /// The broker has answered; whether that is different from before.
    pub(super) fn answered(&mut self, name: &str, is_held: bool) -> bool {
        self.is_alone = false;
        self.wanted.get_mut(name).is_some_and(|known| std::mem::replace(known, is_held) != is_held)
    }

    /// The broker has been away for a whole lease: gives those that this node holds from now on.
    pub(super) fn take_all(&mut self) -> Vec<Arc<str>> {
        self.is_alone = true;
        let others = self.wanted.iter_mut().filter(|(_, is_held)| !**is_held);
        others.map(|(name, is_held)| (name.clone(), *is_held = true).0).collect()
    }

    /// Gives up those that this node holds, and wants them still.
    pub(super) fn give_up_all(&mut self) -> Vec<Arc<str>> {
        let held = self.wanted.iter_mut().filter(|(_, is_held)| **is_held);
        held.map(|(name, is_held)| (name.clone(), *is_held = false).0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_held_when_the_broker_says_so_or_is_away() {
        let mut leases = Leases::default();
        assert!(leases.want("a") && !leases.want("a") && leases.want("b"));
        assert!(!leases.is_held("a"));
        assert!(leases.answered("a", true) && !leases.answered("a", true));
        assert!(!leases.answered("c", true), "nobody wants it");
        assert_eq!(leases.take_all(), ["b".into()]);
        assert!(leases.want("c") && leases.is_held("c"), "there is nobody else");
        assert!(leases.answered("b", false) && !leases.is_held("b"));
        assert_eq!((leases.give_up_all(), leases.give_up_all()), (vec!["a".into(), "c".into()], vec![]));
        assert!(leases.answered("a", true), "it is wanted still");
        assert!(leases.release("a") && !leases.release("a") && !leases.is_held("a"));
    }
}
