//! What has happened lately, for those who look afterwards: the latest events, and the connections that have ended.
//!
//! | Kept | At most |
//! |---|---|
//! | messages of one connection | 100, 64 KiB |
//! | messages to several connections, of one route | 200, 256 KiB |
//! | events of each other kind | 200, 256 KiB |
//! | all of these together | 16 MiB; beyond it those who said most lose their oldest first |
//! | of one message | the first 16 KiB |
//! | connections that have ended, with their messages | 200 |

mod ring;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::control::event::EventKind;
use crate::control::view::{ConnectionView, SocketCounts};
use crate::interface::connection_id::ConnectionId;
use crate::state::id_hash::IdHash;
use ring::Ring;
pub(crate) use ring::{Kept, RouteNames};

/// The most messages of one connection, and their bytes.
const OF_CONNECTION: (usize, usize) = (100, 64 * 1024);

/// The most messages to several of one route, and their bytes.
const OF_ROUTE: (usize, usize) = (200, 256 * 1024);

/// The most events of another kind, and their bytes.
const OF_KIND: (usize, usize) = (200, 256 * 1024);

/// The bytes of all of them together.
const MAX_BYTES: usize = 16 << 20;

/// To how many bytes they are cut when there are more.
const CUT_BYTES: usize = 14 << 20;

/// How much is kept of one message, in bytes.
pub(crate) const MAX_PAYLOAD: usize = 16 * 1024;

/// The most connections that have ended.
const MOST_ENDED: usize = 200;

/// The latest events and the connections they are about.
#[derive(Debug, Default)]
pub(crate) struct History {
    next_sequence: u64,
    /// Of all rings.
    bytes: usize,
    names: HashMap<usize, Arc<RouteNames>>,
    connections: HashMap<ConnectionId, Known, IdHash>,
    /// The latest last.
    ended: VecDeque<Ended>,
    /// Messages to several connections, by the index of their route.
    routes: HashMap<usize, Ring>,
    /// Everything but messages.
    kinds: Vec<(EventKind, Ring)>,
}

/// A connection that is there.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// In ms since 1970.
    pub(crate) opened_at: Option<u64>,
    pub(crate) is_compressed: bool,
    /// What has passed on it, when its transport is gone.
    pub(crate) counts: Option<SocketCounts>,
    messages: Ring,
}

/// A connection that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) id: ConnectionId,
    pub(crate) view: ConnectionView,
    messages: Ring,
}

impl History {
    /// The number of the next event.
    pub(crate) fn count(&mut self) -> u64 {
        self.next_sequence += 1;
        self.next_sequence
    }

    /// The names of the route with this index.
    pub(crate) fn names(&mut self, route: Option<usize>, label: &str, pattern: &str) -> Arc<RouteNames> {
        let Some(route) = route else { return Arc::default() };
        let known = self.names.entry(route).or_default();
        // The index may have been another route's.
        if known.label != label || known.pattern != pattern {
            *known = Arc::new(RouteNames { label: label.to_owned(), pattern: pattern.to_owned() });
        }
        known.clone()
    }

    /// A connection that is there.
    pub(crate) fn known(&mut self, id: ConnectionId) -> &mut Known {
        self.connections.entry(id).or_default()
    }

    /// When a connection opened, in ms since 1970, and whether compression was agreed on.
    pub(crate) fn opening(&self, id: ConnectionId) -> (Option<u64>, bool) {
        self.connections.get(&id).map_or((None, false), |known| (known.opened_at, known.is_compressed))
    }

    /// What has passed on a connection whose transport is gone.
    pub(crate) fn counts(&self, id: ConnectionId) -> Option<SocketCounts> {
        self.connections.get(&id)?.counts
    }

    /// Keeps an event for a while. `is_there`: the connection that it is about has not been removed.
    pub(crate) fn keep(&mut self, mut kept: Kept, is_there: bool) {
        let kind = kept.happening.what.kind();
        // What is held now is asked for; what was is in the messages.
        if matches!(kind, EventKind::Held | EventKind::Released) {
            return;
        }
        let peer = kept.happening.peer.as_ref().map(|peer| peer.id);
        let grown = match (kind, peer, kept.happening.route) {
            (EventKind::Message, Some(id), _) => {
                let ended = self.ended.iter_mut().rev().find(|ended| ended.id == id);
                let messages = match ended {
                    Some(ended) => &mut ended.messages,
                    None if is_there => &mut self.connections.entry(id).or_default().messages,
                    None => return,
                };
                messages.push(kept, OF_CONNECTION.0, OF_CONNECTION.1)
            }
            (EventKind::Message, None, Some(route)) => {
                let ring = self.routes.entry(route).or_default();
                // Most often the same ones are sent to again.
                if let Some(last) = ring.last() {
                    kept.happening.share_receivers(&last.happening);
                }
                ring.push(kept, OF_ROUTE.0, OF_ROUTE.1)
            }
            _ => {
                let place = self.kinds.iter().position(|(known, _)| *known == kind);
                let place = place.unwrap_or_else(|| {
                    self.kinds.push((kind, Ring::default()));
                    self.kinds.len() - 1
                });
                self.kinds[place].1.push(kept, OF_KIND.0, OF_KIND.1)
            }
        };
        self.bytes = self.bytes.saturating_add_signed(grown);
        if self.bytes > MAX_BYTES {
            self.cut();
        }
    }

    /// A connection is gone; `view` shows it if it had been open.
    pub(crate) fn end(&mut self, id: ConnectionId, view: Option<ConnectionView>) {
        let messages = self.connections.remove(&id).unwrap_or_default().messages;
        let Some(view) = view else {
            self.bytes -= messages.bytes();
            return;
        };
        self.ended.push_back(Ended { id, view, messages });
        if self.ended.len() > MOST_ENDED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.bytes -= oldest.messages.bytes();
        }
    }

    /// The connections that have ended, the latest first.
    pub(crate) fn ended(&self) -> impl Iterator<Item = &Ended> {
        self.ended.iter().rev()
    }

    /// The latest connection with this public id that has ended.
    pub(crate) fn ended_id(&self, name: &str) -> Option<ConnectionId> {
        self.ended().find(|ended| ended.view.id == name).map(|ended| ended.id)
    }

    /// What passed on a connection, the oldest first.
    pub(crate) fn messages_of(&self, id: ConnectionId, most: usize) -> Vec<&Kept> {
        let own = self.connections.get(&id).map(|known| &known.messages);
        let own = own.or_else(|| self.ended().find(|ended| ended.id == id).map(|ended| &ended.messages));
        let shared = self.routes.values().flat_map(Ring::iter);
        let shared = shared.filter(|kept| kept.happening.receivers.contains(&id));
        latest(own.into_iter().flat_map(Ring::iter).chain(shared).collect(), most)
    }

    /// The latest events of these kinds for which `is_wanted`, the oldest first.
    pub(crate) fn recent(&self, most: usize, is_wanted: impl Fn(&Kept) -> bool) -> Vec<&Kept> {
        let all = self.rings().flat_map(Ring::iter);
        latest(all.filter(|kept| is_wanted(kept)).collect(), most)
    }

    /// Forgets what has happened. Events are counted on.
    pub(crate) fn forget(&mut self) {
        *self = Self { next_sequence: self.next_sequence, ..Self::default() };
    }

    fn rings(&self) -> impl Iterator<Item = &Ring> {
        let connections = self.connections.values().map(|known| &known.messages);
        let ended = self.ended.iter().map(|ended| &ended.messages);
        let kinds = self.kinds.iter().map(|(_, ring)| ring);
        connections.chain(ended).chain(self.routes.values()).chain(kinds)
    }

    fn rings_mut(&mut self) -> impl Iterator<Item = &mut Ring> {
        let connections = self.connections.values_mut().map(|known| &mut known.messages);
        let ended = self.ended.iter_mut().map(|ended| &mut ended.messages);
        let kinds = self.kinds.iter_mut().map(|(_, ring)| ring);
        connections.chain(ended).chain(self.routes.values_mut()).chain(kinds)
    }

    /// Cuts the largest rings to one size, so that all together fit and those who say little lose nothing.
    fn cut(&mut self) {
        let mut sizes: Vec<usize> = self.rings().map(Ring::bytes).collect();
        let size = fitting(&mut sizes, CUT_BYTES);
        self.rings_mut().for_each(|ring| ring.shrink_to(size));
        self.bytes = self.rings().map(Ring::bytes).sum();
    }
}

/// The largest size to which all may be cut so that their sum is no more than `max`.
fn fitting(sizes: &mut [usize], max: usize) -> usize {
    sizes.sort_unstable();
    let (mut left, mut count) = (max, sizes.len());
    for &size in &*sizes {
        if size.saturating_mul(count) > left {
            return left / count;
        }
        left -= size;
        count -= 1;
    }
    usize::MAX
}

fn latest(mut kept: Vec<&Kept>, most: usize) -> Vec<&Kept> {
    kept.sort_unstable_by_key(|kept| kept.sequence);
    kept.split_off(kept.len().saturating_sub(most))
}

#[cfg(test)]
mod tests;
