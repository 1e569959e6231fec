//! All connections that the engine opened, by their ids and by the clients that they were opened for.

use std::collections::HashMap;

use super::upstream::Upstream;
use crate::interface::connection_id::ConnectionId;
use crate::interface::upstream::{UpstreamEvent, UpstreamId};
use crate::state::Owner;
use crate::state::id_hash::IdHash;

/// All outgoing connections.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    by_id: HashMap<UpstreamId, Upstream, IdHash>,
    /// Those of each client.
    by_owner: HashMap<ConnectionId, Owned, IdHash>,
    latest: u64,
}

/// The outgoing connections of one client.
#[derive(Debug, Default)]
struct Owned {
    /// In the order in which they were opened.
    ids: Vec<UpstreamId>,
    /// The next time that both may go on, these do before their client.
    go_first: bool,
}

impl Upstreams {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn get(&self, upstream: UpstreamId) -> Option<&Upstream> {
        self.by_id.get(&upstream)
    }

    pub(crate) fn get_mut(&mut self, upstream: UpstreamId) -> Option<&mut Upstream> {
        self.by_id.get_mut(&upstream)
    }

    /// Keeps a new one, under an id of its own.
    pub(super) fn insert(&mut self, upstream: Upstream) -> UpstreamId {
        self.latest += 1;
        let id = UpstreamId(self.latest);
        if let Owner::Handler(owner) = upstream.owner {
            self.by_owner.entry(owner).or_default().ids.push(id);
        }
        self.by_id.insert(id, upstream);
        id
    }

    pub(super) fn remove(&mut self, upstream: UpstreamId) {
        if let Some(removed) = self.by_id.remove(&upstream)
            && let Owner::Handler(id) = removed.owner
            && let Some(owned) = self.by_owner.get_mut(&id)
        {
            owned.ids.retain(|other| *other != upstream);
            if owned.ids.is_empty() {
                self.by_owner.remove(&id);
            }
        }
    }

    /// Takes those of a client from it; they stay until each is removed.
    pub(super) fn disown(&mut self, id: ConnectionId) -> Vec<UpstreamId> {
        self.by_owner.remove(&id).unwrap_or_default().ids
    }

    /// Those of a client, in the order in which they were opened.
    pub(crate) fn of(&self, id: ConnectionId) -> &[UpstreamId] {
        self.by_owner.get(&id).map(|owned| owned.ids.as_slice()).unwrap_or_default()
    }

    /// Whether something came for a client that its handler was not told yet.
    pub(crate) fn has_waiting(&self, id: ConnectionId) -> bool {
        self.of(id).iter().any(|upstream| self.by_id.get(upstream).is_some_and(Upstream::has_waiting))
    }

    /// The next thing that a client's handler is to be told.
    pub(crate) fn pop_waiting(&mut self, id: ConnectionId) -> Option<(UpstreamId, UpstreamEvent)> {
        let mut ids = self.by_owner.get(&id)?.ids.iter();
        ids.find_map(|upstream| Some((*upstream, self.by_id.get_mut(upstream)?.pop_waiting()?)))
    }

    /// Whether a client's outgoing connections go on before it does; the next time it is the other way round.
    pub(crate) fn take_turn(&mut self, id: ConnectionId) -> bool {
        self.by_owner.get_mut(&id).is_some_and(|owned| {
            owned.go_first = !owned.go_first;
            owned.go_first
        })
    }

    /// Bytes that came and wait for their owners, and bytes that were sent and not taken yet.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let sum = |bytes: fn(&Upstream) -> usize| self.by_id.values().map(|it| bytes(it) as u64).sum();
        (sum(Upstream::waiting_bytes), sum(Upstream::queued_bytes))
    }
}
