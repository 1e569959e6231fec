//! This server as a node of a cluster: who has to be told of what its routes do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use crate::cluster::{BackplaneEffect, Cluster, Node};
use crate::history::Offset;
use crate::interface::connection_id::ConnectionId;
use crate::interface::effect::Effect;
use crate::message::Message;
use crate::state::connection::Connection;
use crate::state::timers::Timer;
use crate::state::{RouteState, Standing, State};
use crate::time::{Instant, Now};

/// With what the keys of the entries of handlers begin.
pub(crate) const OWN_ENTRIES: &str = "own ";

/// This server as a node of a cluster, where servers can be one.
#[cfg(feature = "cluster")]
pub(crate) type Membership = Box<ClusterNode>;

/// Without the feature `cluster` no server is ever a node. This has no value, so that the compiler leaves out what is done for
/// nodes.
#[cfg(not(feature = "cluster"))]
#[derive(Debug)]
pub(crate) enum Membership {}

#[cfg(not(feature = "cluster"))]
impl std::ops::Deref for Membership {
    type Target = ClusterNode;

    fn deref(&self) -> &ClusterNode {
        match *self {}
    }
}

#[cfg(not(feature = "cluster"))]
impl std::ops::DerefMut for Membership {
    fn deref_mut(&mut self) -> &mut ClusterNode {
        match *self {}
    }
}

/// A node of a cluster.
#[derive(Debug)]
pub(crate) struct ClusterNode {
    pub(crate) cluster: Cluster,
    /// What each channel is that this node hears.
    pub(crate) channels: HashMap<Arc<str>, Place>,
    /// The feeds that this node hears.
    pub(crate) feeds: BTreeSet<String>,
    /// Those whose lease it wants.
    pub(crate) leases: BTreeSet<String>,
    /// Where the number of members has changed since the other nodes were told.
    pub(crate) changed: BTreeSet<Place>,
    /// When they may be told again.
    pub(crate) next_telling: Instant,
    /// Whether all nodes are doing the same right now.
    pub(crate) together: Together,
    /// What the others are asked of their histories.
    pub(crate) questions: Questions,
}

/// Whether all nodes do the same, each for its own clients: then nothing is published, but to histories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Together {
    /// This one does something of its own.
    #[default]
    No,
    /// It began here.
    First,
    /// It began at another node.
    Another,
}

/// How far the others are: asked when this node may have missed something.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    /// The number of the latest question; 0: nothing was asked yet.
    pub(crate) number: u64,
    /// Nothing is promised before all have answered this one or a later one.
    pub(crate) promise: u64,
    /// The latest question that each node has answered.
    pub(crate) answered: BTreeMap<Node, u64>,
    /// When those are asked again who have not.
    pub(crate) again: Instant,
}

/// A route, by its index, or a room of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) route: usize,
    pub(crate) room: Option<Arc<str>>,
}

/// For whom a message on a channel is: the first byte of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addressee {
    /// Everyone on the route, or in the room, whose channel it is.
    Members = 0,
    /// The members of these rooms of the route, each once. Their names follow, each after its length in two bytes.
    Rooms = 1,
    /// The handler of the route. What follows is its own.
    Handler = 2,
    /// A feed. The time of the value follows in microseconds, in eight bytes.
    Feed = 3,
    /// The handler of a route on the node whose channel it is. What follows is the channel of the route, a line feed, and what
    /// is the handler's own.
    Node = 4,
    /// The histories of the node whose channel it is: how far are they? The number of the question follows in eight bytes.
    Question = 5,
    /// The histories of the node whose channel it is, as an answer. The number of the question follows, and the answer is the
    /// message.
    Answer = 6,
    /// The members of rooms of the route, or everyone, and its history. The epoch and the number follow in eight bytes each,
    /// then the rooms as for `Rooms`; none for everyone.
    Kept = 7,
}

/// To whom a broadcast goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Audience<'a> {
    /// Everyone on the route.
    Everyone,
    /// The members of these rooms, each once.
    Rooms(&'a [Arc<str>]),
}

impl ClusterNode {
    #[cfg(feature = "cluster")]
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self {
            cluster,
            channels: HashMap::new(),
            feeds: BTreeSet::new(),
            leases: BTreeSet::new(),
            changed: BTreeSet::new(),
            next_telling: Instant::default(),
            together: Together::No,
            questions: Questions::default(),
        }
    }

    /// Hears a channel from now on.
    pub(crate) fn hear(&mut self, channel: String, place: Place, effects: &mut Vec<Effect>) {
        effects.extend(self.cluster.subscribe(&channel).map(Effect::Backplane));
        self.channels.insert(channel.into(), place);
    }

    /// What the other nodes count under keys that begin so.
    fn others<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, usize)> {
        let me = self.cluster.me();
        let entries = self.cluster.entries(prefix).filter(move |(node, ..)| *node != me);
        entries.filter_map(|(_, key, value)| Some((key, std::str::from_utf8(value).ok()?.parse().ok()?)))
    }

    /// Publishes, unless all nodes do the same right now.
    pub(crate) fn publish(
        &mut self,
        channel: &str,
        header: Bytes,
        message: &Message,
    ) -> Option<BackplaneEffect> {
        match self.together {
            Together::No => self.cluster.publish(channel, header, message),
            Together::First | Together::Another => None,
        }
    }

    /// Whether all nodes have told what they have said, as far as this one can know.
    pub(crate) fn knows_all(&self) -> bool {
        let Questions { answered, promise, .. } = &self.questions;
        let mut others = self.cluster.others();
        let is_known = |node: &Node| answered.get(node).is_some_and(|number| number >= promise);
        self.cluster.down_since().is_none() && others.all(is_known)
    }
}

impl Addressee {
    pub(crate) fn of(byte: u8) -> Option<Self> {
        let all = [
            Self::Members,
            Self::Rooms,
            Self::Handler,
            Self::Feed,
            Self::Node,
            Self::Question,
            Self::Answer,
            Self::Kept,
        ];
        all.into_iter().find(|it| *it as u8 == byte)
    }

    pub(crate) fn header(self) -> Bytes {
        const BYTES: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
        Bytes::from_static(&BYTES[self as usize..=self as usize])
    }

    /// A header that goes on with more.
    pub(crate) fn header_with(self, more: &[u8]) -> Bytes {
        let mut header = BytesMut::with_capacity(1 + more.len());
        header.put_u8(self as u8);
        header.put_slice(more);
        header.freeze()
    }
}

/// The channel that one node hears alone.
pub(crate) fn own_channel(node: &Node) -> String {
    format!("node {node}")
}

impl RouteState {
    /// The channel, and the entry, of this route or of a room of it.
    pub(crate) fn channel(&self, index: usize, room: Option<&str>) -> String {
        // A route that only the host finds has no label.
        let number = if self.label.is_empty() { index.to_string() } else { String::new() };
        match room {
            // No path has a number sign in it.
            Some(room) => format!("room {}{number}#{room}", self.label),
            None => format!("route {}{number}", self.label),
        }
    }

    /// With what the keys of the entries of this route's handler begin.
    pub(crate) fn own_entries(&self, index: usize) -> String {
        format!("{OWN_ENTRIES}{}", self.channel(index, Some("")))
    }

    /// How many are on this route, or in a room of it, on this node.
    pub(crate) fn members(&self, room: Option<&str>) -> usize {
        room.map_or_else(|| self.rooms.everyone_len(), |room| self.rooms.len(room))
    }
}

impl State {
    /// A connection has come to a route, or to a room of it.
    #[inline]
    pub(crate) fn has_entered(&mut self, route: usize, room: Option<&Arc<str>>, effects: &mut Vec<Effect>) {
        if self.cluster.is_some() {
            self.hear_place(Place { route, room: room.cloned() }, effects);
        }
    }

    /// A connection has left a route, or a room of it.
    #[inline]
    pub(crate) fn has_left(&mut self, route: usize, room: Option<&str>) {
        if self.cluster.is_some() {
            self.note_change(Place { route, room: room.map(Arc::from) });
        }
    }

    /// A connection has left a route and all of its rooms.
    #[cold]
    #[inline(never)]
    pub(crate) fn has_left_all(&mut self, id: ConnectionId, route: usize) {
        let rooms: Vec<_> =
            self.connections.get(id).into_iter().flat_map(Connection::rooms).cloned().collect();
        self.note_change(Place { route, room: None });
        rooms.into_iter().for_each(|room| self.note_change(Place { route, room: Some(room) }));
    }

    #[cold]
    #[inline(never)]
    fn hear_place(&mut self, place: Place, effects: &mut Vec<Effect>) {
        let Some(node) = &mut self.cluster else { return };
        let channel = self.routes[place.route].channel(place.route, place.room.as_deref());
        node.hear(channel, place.clone(), effects);
        self.note_change(place);
    }

    #[cold]
    #[inline(never)]
    fn note_change(&mut self, place: Place) {
        let Some(node) = &mut self.cluster else { return };
        node.changed.insert(place);
        let at = node.next_telling;
        self.tell_nodes_at(at);
    }

    /// The other nodes are told of changes then.
    pub(crate) fn tell_nodes_at(&mut self, at: Instant) {
        if !self.timers.is_set(Timer::Entries) {
            self.timers.set(Timer::Entries, at);
        }
    }

    /// How many are on a route, or in a room of it, on the other nodes.
    pub(crate) fn members_elsewhere(&self, route: usize, room: Option<&str>) -> usize {
        let Some(node) = &self.cluster else { return 0 };
        let key = self.routes[route].channel(route, room);
        let counts = node.others(&key).filter(|(known, _)| *known == key);
        counts.fold(0, |sum, (_, count)| count.saturating_add(sum))
    }

    /// The rooms of a route that have members on the other nodes, with their number.
    pub(crate) fn rooms_elsewhere(&self, route: usize) -> Vec<(Arc<str>, usize)> {
        let Some(node) = &self.cluster else { return Vec::new() };
        let prefix = self.routes[route].channel(route, Some(""));
        node.others(&prefix).map(|(key, count)| (key[prefix.len()..].into(), count)).collect()
    }

    /// Sends a broadcast of a route to the other nodes.
    #[cold]
    #[inline(never)]
    pub(crate) fn publish_to_nodes(
        &mut self,
        route: usize,
        audience: Audience<'_>,
        message: &Message,
        effects: &mut Vec<Effect>,
    ) {
        let Some(node) = &mut self.cluster else { return };
        let state = &self.routes[route];
        if state.standing == Standing::Free {
            return;
        }
        let published = match audience {
            Audience::Everyone => {
                node.publish(&state.channel(route, None), Addressee::Members.header(), message)
            }
            Audience::Rooms([]) => None,
            Audience::Rooms([room]) => {
                node.publish(&state.channel(route, Some(room)), Addressee::Members.header(), message)
            }
            // Who is in several of them gets it once, so it goes one way.
            Audience::Rooms(rooms) => {
                let mut header = BytesMut::new();
                header.put_u8(Addressee::Rooms as u8);
                put_names(&mut header, rooms);
                node.publish(&state.channel(route, None), header.freeze(), message)
            }
        };
        effects.extend(published.map(Effect::Backplane));
    }

    /// Sends a message of a route that has a history to all nodes, for it is kept where nobody is in its rooms, too.
    #[cold]
    #[inline(never)]
    pub(crate) fn publish_kept(
        &mut self,
        now: Now,
        (route, offset): (usize, Offset),
        rooms: &[Arc<str>],
        message: &Message,
        effects: &mut Vec<Effect>,
    ) {
        let Some(node) = &mut self.cluster else { return };
        let state = &mut self.routes[route];
        if state.standing == Standing::Free {
            return;
        }
        let channel = state.channel(route, None);
        let Some(history) = &mut state.history else { return };
        let bounds = history.bounds();
        if node.cluster.down_since().is_none()
            && let Some((key, note)) = history.speaks(now, &mut self.random)
        {
            effects.extend(node.cluster.note(&channel, &key, note, bounds).map(Effect::Backplane));
        }
        let mut header = BytesMut::new();
        header.put_u8(Addressee::Kept as u8);
        header.put_u64_le(offset.epoch.0);
        header.put_u64_le(offset.number);
        put_names(&mut header, rooms);
        let published = node.cluster.publish_and_keep(&channel, header.freeze(), message, bounds);
        effects.extend(published.map(Effect::Backplane));
    }
}

/// The names of rooms, each after its length in two bytes.
fn put_names(header: &mut BytesMut, rooms: &[Arc<str>]) {
    for room in rooms {
        // Nobody can be in a room with a longer name.
        let Ok(length) = u16::try_from(room.len()) else { continue };
        header.put_u16_le(length);
        header.put_slice(room.as_bytes());
    }
}
