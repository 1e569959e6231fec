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

/// How many nodes that are gone are remembered: should they come back, what was missed is counted.
const MOST_GONE: usize = 1_000;

/// The other nodes.
#[derive(Debug, Default)]
pub(super) struct Peers {
    live: BTreeMap<Arc<str>, Peer>,
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

impl Peers {
    /// Those that are alive, by name.
    pub(super) fn live(&self) -> impl Iterator<Item = &Peer> {
        self.live.values()
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
        self.live.get_mut(name).map_or_else(Vec::new, |peer| peer.replica.change(first, changes))
    }

    /// A part of a snapshot came; gives what is different.
    pub(super) fn restore(
        &mut self,
        name: &str,
        version: u64,
        part: (u32, u32),
        entries: Vec<(Arc<str>, Bytes)>,
    ) -> Vec<Change> {
        self.live.get_mut(name).map_or_else(Vec::new, |peer| peer.replica.restore(version, part, entries))
    }

    /// Those of whom a snapshot is needed.
    pub(super) fn stale(&self) -> Vec<Node> {
        self.live().filter(|peer| peer.replica.is_stale()).map(|peer| peer.node.clone()).collect()
    }

    /// A node has said that it leaves. What is still on the way from it is not heard any more.
    pub(super) fn leave(&mut self, now: Instant, name: &Arc<str>) -> Option<Gone> {
        let gone = self.remove(now, name)?;
        self.gone.insert(name.clone(), (gone.node.incarnation + 1, now));
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
        self.gone.insert(name.clone(), (node.incarnation, now));
        Some(Gone { node, keys: replica.into_keys() })
    }
}
