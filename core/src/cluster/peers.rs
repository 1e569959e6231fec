//! The other nodes: who is alive, and what they hold.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;

use super::frame::Change;
use super::node::Node;
use super::replica::Replica;
use crate::time::Instant;

/// How many other nodes there may be. One more is not heard.
const MOST: usize = 1_000;

/// How much all other nodes together may hold here, in bytes. What is more is left out, and asked for again and again.
const MAX_BYTES: usize = 256 << 20;

/// How many nodes that are gone are remembered: should they come back, what was missed is counted.
const MOST_GONE: usize = 1_000;

/// The other nodes.
#[derive(Debug)]
pub(super) struct Peers {
    live: BTreeMap<Arc<str>, Peer>,
    /// What their entries cost, and may cost.
    bytes: usize,
    most_bytes: usize,
    /// Those that were alive once: their last incarnation, and since when they are gone.
    gone: HashMap<Arc<str>, (u64, Instant)>,
}

/// Another node that is alive.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) node: Node,
    pub(super) replica: Replica,
    heard: Instant,
}

/// A node that is no longer there, with the keys of its entries.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) node: Node,
    pub(super) keys: Vec<Arc<str>>,
}

/// Who speaks.
#[derive(Debug)]
pub(super) enum Standing {
    /// A node that has started again since, or one too many: it is not heard.
    Earlier,
    Known,
    /// A node that is new, and its earlier life if that was not over.
    New(Option<Gone>),
}

impl Default for Peers {
    fn default() -> Self {
        Self { live: BTreeMap::new(), bytes: 0, most_bytes: MAX_BYTES, gone: HashMap::new() }
    }
}

impl Peers {
    /// Those that are alive, by name.
    pub(super) fn live(&self) -> impl Iterator<Item = &Peer> {
        self.live.values()
    }

    /// Whether there have been signs of life of a node of this name.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.live.contains_key(name) || self.gone.contains_key(name)
    }

    /// A node has spoken.
    pub(super) fn standing(&mut self, now: Instant, node: &Node) -> Standing {
        let earlier = match self.live.get_mut(&node.name) {
            Some(peer) if peer.node.incarnation == node.incarnation => {
                peer.heard = now;
                return Standing::Known;
            }
            Some(peer) if peer.node.incarnation > node.incarnation => return Standing::Earlier,
            Some(_) => self.remove(now, &node.name),
            None => {
                let last = self.gone.get(&node.name).map_or(0, |(incarnation, _)| *incarnation);
                if last > node.incarnation || self.live.len() == MOST {
                    return Standing::Earlier;
                }
                None
            }
        };
        let peer = Peer { node: node.clone(), replica: Replica::default(), heard: now };
        self.live.insert(node.name.clone(), peer);
        Standing::New(earlier)
    }

    /// A node says which version its entries have.
    pub(super) fn announced(&mut self, name: &str, version: u64) {
        if let Some(peer) = self.live.get_mut(name) {
            peer.replica.announced(version);
        }
    }

    /// Entries of a node have changed; gives what is different.
    pub(super) fn change(&mut self, name: &str, first: u64, changes: Vec<Change>) -> Vec<Change> {
        self.with_room(name, |replica, room| replica.change(first, changes, room))
    }

    /// A part of a snapshot came; gives what is different.
    pub(super) fn restore(
        &mut self,
        name: &str,
        version: u64,
        part: (u32, u32),
        entries: Vec<(Arc<str>, Bytes)>,
    ) -> Vec<Change> {
        self.with_room(name, |replica, room| replica.restore(version, part, entries, room))
    }

    fn with_room(
        &mut self,
        name: &str,
        take: impl FnOnce(&mut Replica, usize) -> Vec<Change>,
    ) -> Vec<Change> {
        let Some(Peer { replica, .. }) = self.live.get_mut(name) else { return Vec::new() };
        let others = self.bytes - replica.bytes();
        let different = take(replica, self.most_bytes.saturating_sub(self.bytes));
        self.bytes = others + replica.bytes();
        different
    }

    /// Those of whom a snapshot is needed.
    pub(super) fn stale(&self) -> Vec<Node> {
        self.live().filter(|peer| peer.replica.is_stale()).map(|peer| peer.node.clone()).collect()
    }

    /// A node has said that it leaves. What is still on the way from it is not heard any more.
    pub(super) fn leave(&mut self, now: Instant, name: &Arc<str>) -> Option<Gone> {
        let gone = self.remove(now, name)?;
        self.gone.insert(name.clone(), (gone.node.incarnation.saturating_add(1), now));
        Some(gone)
    }

    /// When the next lease of so many ms runs out.
    pub(super) fn next_expiry(&self, lease: u64) -> Option<Instant> {
        self.live().map(|peer| peer.heard + lease).min()
    }

    /// Removes those whose lease of so many ms has run out.
    pub(super) fn expire(&mut self, now: Instant, lease: u64) -> Vec<Gone> {
        let silent: Vec<_> =
            self.live().filter(|peer| peer.heard + lease <= now).map(|peer| peer.node.name.clone()).collect();
        silent.iter().filter_map(|name| self.remove(now, name)).collect()
    }

    /// Of very many nodes that are gone, forgets those that are gone longest; gives their names.
    pub(super) fn forget_gone(&mut self) -> Vec<Arc<str>> {
        let excess = self.gone.len().saturating_sub(MOST_GONE);
        let mut by_time: Vec<_> = match excess {
            0 => return Vec::new(),
            _ => self.gone.iter().map(|(name, (_, since))| (*since, name.clone())).collect(),
        };
        by_time.sort();
        by_time.truncate(excess);
        by_time
            .into_iter()
            .filter_map(|(_, name)| self.gone.remove_entry(&name))
            .map(|(name, _)| name)
            .collect()
    }

    fn remove(&mut self, now: Instant, name: &Arc<str>) -> Option<Gone> {
        let Peer { node, replica, .. } = self.live.remove(name)?;
        self.bytes -= replica.bytes();
        self.gone.insert(name.clone(), (node.incarnation, now));
        Some(Gone { node, keys: replica.into_keys() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_other_nodes_together_have_a_limit() {
        let mut peers = Peers { most_bytes: 256 << 10, ..Peers::default() };
        let large = Bytes::from(vec![0; 1 << 10]);
        let now = Instant::default();
        for number in 0..8 {
            let node = Node { name: format!("node {number}").into(), incarnation: 1 };
            assert!(matches!(peers.standing(now, &node), Standing::New(None)));
            peers.restore(&node.name, 0, (0, 1), Vec::new());
            for version in 1..=50 {
                peers.change(&node.name, version, vec![(version.to_string().into(), Some(large.clone()))]);
            }
        }
        let counted: usize = peers.live().map(|peer| peer.replica.bytes()).sum();
        assert_eq!(peers.bytes, counted);
        assert!(counted <= peers.most_bytes && counted > peers.most_bytes - 2 * large.len(), "{counted}");
        let stale: Vec<_> = peers.stale().into_iter().map(|node| node.name).collect();
        assert_eq!(stale, ["node 4", "node 5", "node 6", "node 7"].map(Arc::from));
        // Whoever leaves makes room.
        peers.leave(now, &"node 0".into());
        assert!(!peers.change("node 7", 1, vec![("1".into(), Some(large))]).is_empty());
        while let Some(name) = peers.live.keys().next().cloned() {
            peers.leave(now, &name);
        }
        assert_eq!(peers.bytes, 0);
    }
}
