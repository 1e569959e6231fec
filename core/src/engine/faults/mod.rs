//! Faults on purpose, between the engine and its host: a bad network, and a server in trouble; and breakpoints, which hold
//! messages there.
//!
//! Everything that comes from clients passes [`receive`](Engine::receive) before the engine sees it, everything that the
//! engine asks for passes [`impair`](Engine::impair) before the host does. The engine itself knows of faults only where an
//! opening handshake is answered, and where somebody would be closed for a silence that is not his. Without faults and breakpoints
//! none of this is there.

mod breakpoints;
mod ends;
mod holding;
mod link;
mod opening;
mod pausing;
mod receiving;
mod rules;
mod sending;

use std::collections::{BTreeMap, HashMap};

pub use rules::{FaultId, FaultScope};

pub(super) use breakpoints::{AddedBreakpoint, Held, Numbers};
pub(super) use holding::Decision;

use super::Engine;
use crate::fault::course::End;
use crate::interface::connection_id::ConnectionId;
use crate::state::id_hash::IdHash;
use breakpoints::Breakpoints;
use link::Link;
use rules::Rule;

/// What an engine with faults knows of them.
pub(super) struct Faults {
    seed: [u8; 32],
    /// In the order in which they were added.
    rules: BTreeMap<u64, Rule>,
    next: u64,
    /// The connections that faults may happen to.
    links: HashMap<ConnectionId, Box<Link>, IdHash>,
    /// Connections of which something waits that may go on now.
    due: Vec<ConnectionId>,
    /// Connections whose end need not wait any more for what their clients sent before.
    hurried: Vec<ConnectionId>,
    /// Connections whose timer and whose reading may have to change.
    touched: Vec<ConnectionId>,
    /// How connections are to end when the host has been told what comes before, and which fault ends them.
    ends: Vec<(ConnectionId, (u64, End))>,
    /// What became of frames that would have waited beyond a bound.
    overflows: Vec<(ConnectionId, Overflowing)>,
    breakpoints: Breakpoints,
}

/// What a bound of what waits has come to.
enum Overflowing {
    Close,
    Dropped(usize),
    Full,
    Drained,
}

impl Faults {
    fn new(seed: [u8; 32], numbers: Numbers) -> Self {
        Self {
            seed,
            rules: BTreeMap::new(),
            next: 0,
            links: HashMap::default(),
            due: Vec::new(),
            hurried: Vec::new(),
            touched: Vec::new(),
            ends: Vec::new(),
            overflows: Vec::new(),
            breakpoints: Breakpoints::new(numbers),
        }
    }

    /// What lies between the engine and a connection that faults may happen to.
    fn link(&mut self, id: ConnectionId) -> Option<&mut Link> {
        self.links.get_mut(&id).map(|link| &mut **link)
    }

    /// Whether nothing is left to do with any of it.
    fn is_idle(&self) -> bool {
        self.rules.is_empty()
            && self.links.is_empty()
            && self.ends.is_empty()
            && self.hurried.is_empty()
            && self.overflows.is_empty()
            && self.breakpoints.is_empty()
    }
}

impl Engine {
    fn faults_mut(&mut self) -> &mut Faults {
        let (seed, numbers) = (self.seed, self.breakpoint_numbers);
        let faults = self.faults.get_or_insert_with(|| Box::new(Faults::new(seed, numbers)));
        (self.state.has_faults, self.state.is_observed) = (true, true);
        faults
    }
}
