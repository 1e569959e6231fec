//! What should be true of one client.

use std::collections::BTreeSet;

use switchboard_core::ConnectionId;

use super::step::Endpoint;

pub(super) struct Client {
    pub(super) id: ConnectionId,
    pub(super) route: Endpoint,
    pub(super) opened: bool,
    /// The model: the rooms of an open connection.
    pub(super) rooms: Option<BTreeSet<String>>,
    /// Those it was in when it began to close: to them it may still say goodbye.
    pub(super) last_rooms: BTreeSet<String>,
    pub(super) connects: usize,
    pub(super) closes: usize,
    /// How many messages it has sent.
    pub(super) said: u32,
    /// The target that it hears, and how many of its messages it has heard.
    pub(super) hears: Option<(usize, u32)>,
}

impl Client {
    pub(super) fn new(id: ConnectionId, route: Endpoint) -> Self {
        Self {
            id,
            route,
            opened: false,
            rooms: None,
            last_rooms: BTreeSet::new(),
            connects: 0,
            closes: 0,
            said: 0,
            hears: None,
        }
    }

    /// Looks at a message for it: what its target said has to come once and in order.
    pub(super) fn hear(&mut self, text: &str) {
        let Some((target, number)) = text.strip_prefix("target ").and_then(|rest| rest.split_once(' '))
        else {
            return;
        };
        let (target, number) = (target.parse().expect("a target"), number.parse::<u32>().expect("a number"));
        let (known, count) = self.hears.get_or_insert((target, 0));
        assert_eq!((target, number), (*known, *count), "from its own target, in order");
        *count += 1;
    }
}
