//! What was said in the rooms of a route lately, for clients that come back.
//!
//! A client takes part by the query parameter `switchboard-history` of its opening handshake. Messages to a room, or to
//! everyone on the route, then come to it in an envelope:
//!
//! ```json
//! { "history": { "rooms": ["lobby"], "position": "6921a3f09f3a61c2:42" }, "text": "hello" }
//! ```
//!
//! | | |
//! |---|---|
//! | `rooms` | the rooms that the message went to; an empty list: everyone on the route |
//! | `position` | how far the client is in each of these rooms, once it has this message. Opaque |
//! | `text` or `binary` | the message; binary in base64 (RFC 4648, section 4) |
//!
//! With an envelope that has no message the server says how far a room is: when the client joins it, when it opens (for
//! everyone on the route), and when it has itself sent a message that does not come back to it. Who connects again names the
//! rooms and the last positions: `switchboard-history=lobby@6921a3f09f3a61c2:42`, repeated for several rooms, without a name
//! before the `@` for everyone. When it joins such a room it is told whether it can get all that it missed, and then is sent
//! just that:
//!
//! ```json
//! { "history": { "rooms": ["lobby"], "position": "6921a3f09f3a61c2:42", "recovered": true } }
//! { "history": { "rooms": ["lobby"], "position": "6921a3f09f3a61c2:43" }, "text": "are you there?" }
//! ```
//!
//! `"recovered": false`: some of it is no longer kept, or the server has started anew; nothing is sent, and the client has to
//! load what it shows. A client that asks by a message of its own takes part when the route's handler says so for it
//! ([`Context::recover`](crate::Context::recover)). Messages to single clients are no part of this, and come as they are. Clients that do not take
//! part notice nothing.
//!
//! # In a cluster
//!
//! Each node keeps what is said on all nodes, so a client can come back to any of them. Every message has an *offset*: the epoch
//! of the node that says it, and a number that goes up by one. A position has the latest number of each epoch, so that it means
//! the same on all nodes, in whatever order messages have come there.
//!
//! What is missing of an epoch is seen by its numbers. A node that starts, or has had no link to the broker, asks the others
//! how far they are, and promises nothing until all have answered. What it was not there for it reads from the broker, if that
//! keeps it; otherwise it cannot give it. When messages of another node turn out to be lost, it tells those of its
//! clients that take part with `"recovered": false`, for they have missed something while they were there.

mod envelope;
mod epochs;
mod follower;
mod kept;
mod position;
mod recovery;
mod room;

use std::collections::HashMap;
use std::sync::Arc;

use chacha20::ChaCha8Rng;

use crate::cluster::Node;
use crate::interface::connection_id::ConnectionId;
use crate::message::Message;
use crate::state::id_hash::IdHash;
use crate::time::{Instant, Now};
pub(crate) use envelope::Opened;
use epochs::Epochs;
pub(crate) use epochs::Heard;
use follower::Follower;
use kept::AtBroker;
pub(crate) use kept::Read;
pub(crate) use position::{Epoch, Numbers, Offset, Position};
use room::{Kept, Room};

/// The query parameter by which clients take part.
const PARAMETER: &str = "switchboard-history";

/// The most rooms of a route that have a history. Beyond it those that were silent longest lose theirs.
const MOST_ROOMS: usize = 10_000;

/// The most bytes of a route's history. Beyond it the same happens.
const MOST_BYTES: usize = 64 << 20;

/// The most rooms that one client may name when it comes back; the rest is ignored.
const MOST_NAMED: usize = 1_000;

/// How much of each room is kept for clients that come back: see [the module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistorySettings {
    /// The most messages. Default 100.
    pub size: usize,
    /// How long in ms. Default 300,000.
    pub ttl: u64,
    /// The most bytes of their payloads. Default 512 KiB.
    pub max_bytes: usize,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self { size: 100, ttl: 300_000, max_bytes: 512 << 10 }
    }
}

/// The history of one route.
#[derive(Debug, Default)]
pub(crate) struct History {
    settings: HistorySettings,
    epochs: Epochs,
    /// How many messages were kept.
    count: u64,
    /// The latest messages in rooms that were forgotten.
    forgotten: Numbers,
    bytes: usize,
    /// By name; the empty name stands for everyone on the route.
    rooms: HashMap<Arc<str>, Room>,
    followers: HashMap<ConnectionId, Follower, IdHash>,
    at_broker: AtBroker,
}

/// What a client is sent when it joins a room.
#[derive(Debug, PartialEq)]
pub(crate) struct Joined {
    /// How far the room is, and whether all that was missed follows.
    pub(crate) envelope: Message,
    /// What was missed.
    pub(crate) missed: Vec<Message>,
}

impl History {
    pub(crate) fn new(settings: HistorySettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Keeps as much as these settings say from the next message on.
    pub(crate) fn change(&mut self, settings: HistorySettings) {
        self.settings = settings;
    }

    /// Has a client take part, if the query of its opening handshake asks for that.
    pub(crate) fn follow(&mut self, id: ConnectionId, query: &str) {
        if !query.contains(PARAMETER) {
            return;
        }
        let named = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == PARAMETER);
        let mut named = named.map(|(_, value)| value).take(MOST_NAMED).peekable();
        if named.peek().is_some() {
            let from = named.filter_map(|value| {
                let (room, position) = value.rsplit_once('@')?;
                // What was no position of ours is as one of another epoch: it cannot be gone on from.
                Some((room.to_owned(), position.parse().unwrap_or_default()))
            });
            self.followers.insert(id, Follower::new(from.collect()));
        }
    }

    /// Whether a client takes part.
    pub(crate) fn is_follower(&self, id: ConnectionId) -> bool {
        self.followers.contains_key(&id)
    }

    /// A client is gone.
    pub(crate) fn forget(&mut self, id: ConnectionId) {
        self.followers.remove(&id);
    }

    /// The offset of the next message of this server.
    pub(crate) fn next(&mut self, now: Now, random: &mut ChaCha8Rng) -> Offset {
        self.epochs.next(now, random)
    }

    /// A message of another node has come.
    pub(crate) fn heard(&mut self, now: Now, node: &Node, offset: Offset) -> Heard {
        self.epochs.heard(now.instant, node, offset)
    }

    /// Keeps a message to these rooms, or without any to everyone; gives it in its envelope.
    pub(crate) fn keep(
        &mut self,
        now: Now,
        offset: Offset,
        rooms: &[Arc<str>],
        message: &Message,
    ) -> Message {
        self.add(now, offset, rooms, message);
        self.said(now, rooms, message)
    }

    /// A message that is kept, in its envelope.
    pub(crate) fn said(&self, now: Now, rooms: &[Arc<str>], message: &Message) -> Message {
        envelope::message(rooms, &self.position(now), message)
    }

    fn add(&mut self, now: Now, offset: Offset, rooms: &[Arc<str>], message: &Message) {
        self.count += 1;
        let everyone = [Arc::from("")];
        let among = Arc::<[Arc<str>]>::from(rooms);
        for name in if rooms.is_empty() { &everyone } else { rooms } {
            self.change_room(name, |room, latest, settings| {
                room.push(now.instant, latest, (offset, message.clone()), among.clone(), settings);
            });
        }
    }

    fn change_room(&mut self, name: &Arc<str>, change: impl FnOnce(&mut Room, u64, &HistorySettings)) {
        let room = self.rooms.entry(name.clone()).or_insert_with(|| {
            let room = Room::new(name, self.forgotten.clone());
            self.bytes += room.bytes();
            room
        });
        self.bytes -= room.bytes();
        change(room, self.count, &self.settings);
        if room.dropped().epochs() > 2 * epochs::MOST {
            room.retain_dropped(|epoch| self.epochs.knows(epoch));
        }
        self.bytes += room.bytes();
        // One message may go to very many.
        if self.rooms.len() > MOST_ROOMS || self.bytes > MOST_BYTES {
            self.forget_silent();
        }
    }

    /// Whether a client has perhaps heard messages elsewhere that have not come here yet.
    pub(crate) fn is_ahead(&self, id: ConnectionId) -> bool {
        self.followers.get(&id).is_some_and(Follower::is_ahead)
    }

    /// A message as it is for a client that is ahead; `None`: it has heard it.
    pub(crate) fn for_ahead(
        &mut self,
        now: Now,
        id: ConnectionId,
        offset: Offset,
        rooms: &[Arc<str>],
        message: &Message,
    ) -> Option<Message> {
        let mut position = self.position(now);
        let follower = self.followers.get_mut(&id)?;
        let has_heard = follower.has_heard(rooms, offset);
        follower.catch_up(&position.numbers);
        follower.raise(rooms, &mut position);
        (!has_heard).then(|| envelope::message(rooms, &position, message))
    }

    /// How far a client is that has said something in these rooms, which does not come back to it.
    pub(crate) fn told_sender(&self, now: Now, id: ConnectionId, rooms: &[Arc<str>]) -> Message {
        envelope::position(rooms, &self.position_for(now, id, rooms), None)
    }

    /// Tells a client in these rooms that messages were lost.
    pub(crate) fn lost(&self, now: Now, id: ConnectionId, rooms: &[Arc<str>]) -> Message {
        envelope::position(rooms, &self.position_for(now, id, rooms), Some(false))
    }

    /// How far a client is, which may have heard more than has come here.
    fn position_for(&self, now: Now, id: ConnectionId, rooms: &[Arc<str>]) -> Position {
        let mut position = self.position(now);
        if let Some(follower) = self.followers.get(&id) {
            follower.raise(rooms, &mut position);
        }
        position
    }

    /// A client that takes part is in a room now; the empty name: it is on the route. `knows_all`: what other nodes have said
    /// has come, as far as this one can know. `None`: the client does not take part.
    pub(crate) fn joined(
        &mut self,
        now: Now,
        id: ConnectionId,
        name: &str,
        knows_all: bool,
        random: &mut ChaCha8Rng,
    ) -> Option<Joined> {
        let from = self.followers.get_mut(&id)?.take_from(name);
        self.epochs.own(now, random);
        let live = self.position(now);
        let here = self.epochs.reached(now.instant, self.settings.ttl);
        let has_not_come =
            |offset: &Offset| live.numbers.get(offset.epoch).is_some_and(|number| number < offset.number);
        let before: Numbers = here.numbers.iter().filter(has_not_come).collect();
        let follower = self.followers.get_mut(&id)?;
        follower.set_before(name, before.clone());
        // What was said before it came is nothing that it misses, even if that has only been read until now.
        follower.set_ahead(name, before);
        let rooms: &[Arc<str>] = if name.is_empty() { &[] } else { &[name.into()] };
        let Some(from) = from else {
            return Some(Joined { envelope: envelope::position(rooms, &here, None), missed: Vec::new() });
        };
        let Some(kept) = self.after(now, name, &from, knows_all) else {
            let envelope = envelope::position(rooms, &here, Some(false));
            return Some(Joined { envelope, missed: Vec::new() });
        };
        let follower = self.followers.get_mut(&id)?;
        // What it has heard elsewhere, and what it is sent of what was read.
        let ahead = from.numbers.iter().chain(here.numbers.iter()).filter(has_not_come);
        let mut numbers = Numbers::default();
        ahead.for_each(|offset| numbers.raise(offset));
        follower.set_ahead(name, numbers);
        // How far it is in the end: in some epochs it may be further than this server.
        let mut end = here;
        follower.raise(rooms, &mut end);
        let new: Vec<Kept> =
            kept.into_iter().filter(|kept| follower.is_new(kept.offset, name, kept.rooms.len())).collect();
        // It is as far as it has got, should its connection end between two messages.
        let mut reached = from;
        let envelope = envelope::position(rooms, if new.is_empty() { &end } else { &reached }, Some(true));
        let count = new.len();
        let missed = new.into_iter().enumerate().map(|(index, kept)| {
            reached.numbers.raise(kept.offset);
            // What it has got in this room says little about the others that a message went to.
            let is_end = index + 1 == count && kept.rooms.len() < 2;
            let position = if is_end { &end } else { &reached };
            envelope::message(&kept.rooms, position, &kept.message)
        });
        Some(Joined { envelope, missed: missed.collect() })
    }

    /// What came in a room after a position, if all of it is there.
    fn after(&mut self, now: Now, name: &str, from: &Position, knows_all: bool) -> Option<Vec<Kept>> {
        if !knows_all && self.epochs.has_others() {
            return None;
        }
        let (ttl, instant) = (self.settings.ttl, now.instant);
        let Some(room) = self.rooms.get_mut(name) else {
            return self.epochs.is_whole(instant, ttl, from, &self.forgotten).then(Vec::new);
        };
        self.bytes -= room.bytes();
        room.drop_old(instant, &self.settings);
        self.bytes += room.bytes();
        let is_whole = self.epochs.is_whole(instant, ttl, from, room.dropped());
        is_whole.then(|| room.after(&from.numbers).cloned().collect())
    }

    /// How far this server is.
    fn position(&self, now: Now) -> Position {
        self.epochs.position(now.instant, self.settings.ttl)
    }

    /// What this server tells other nodes: its own epoch, and how far it is.
    pub(crate) fn tell(&mut self, now: Now, random: &mut ChaCha8Rng) -> (Epoch, Position) {
        let own = self.epochs.own(now, random);
        (own, self.epochs.reached(now.instant, self.settings.ttl))
    }

    /// What another node has told.
    pub(crate) fn told(&mut self, now: Now, node: &Node, own: Epoch, position: &Position) {
        self.epochs.raise_horizon(position.horizon);
        for offset in position.numbers.iter() {
            self.epochs.told(now.instant, (offset.epoch == own).then_some(node), offset);
        }
    }

    /// What was told of and has not come for so many ms is lost to those who are here; gives the last of it.
    pub(crate) fn give_up(&mut self, now: Instant, patience: u64) -> Numbers {
        self.epochs.give_up(now, patience)
    }

    /// A node has left.
    pub(crate) fn left(&mut self, now: Instant, node: &Node) {
        self.epochs.left(now, node);
    }

    /// The clients that take part.
    pub(crate) fn followers(&self) -> Vec<ConnectionId> {
        let mut followers: Vec<_> = self.followers.keys().copied().collect();
        followers.sort_unstable();
        followers
    }

    /// Whether a client that takes part misses something in a room when messages up to these do not come.
    pub(crate) fn misses(&self, id: ConnectionId, room: &str, lost: &Numbers) -> bool {
        self.followers.get(&id).is_some_and(|follower| follower.misses(room, lost))
    }

    /// Forgets the tenth of the rooms that were silent longest, so that it does not have to be done for each message.
    fn forget_silent(&mut self) {
        let mut latest: Vec<u64> = self.rooms.values().map(Room::latest).collect();
        latest.sort_unstable();
        let limit = latest[latest.len() / 10];
        let gone = self.rooms.extract_if(|_, room| room.latest() <= limit);
        for (_, room) in gone {
            self.bytes -= room.bytes();
            room.into_dropped().iter().for_each(|offset| self.forgotten.raise(offset));
        }
        if self.forgotten.epochs() > 2 * epochs::MOST {
            self.forgotten.retain(|offset| self.epochs.knows(offset.epoch));
        }
    }
}

#[cfg(test)]
mod tests;
