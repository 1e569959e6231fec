//! What was said in the rooms of a route lately, for clients that come back.
//!
//! A client takes part by the query parameter `switchboard-history` of its opening handshake. Messages to a room, or to
//! everyone on the route, then come to it in an envelope:
//!
//! ```json
//! { "history": { "rooms": ["lobby"], "position": "9f3a61c2:42" }, "text": "hello" }
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
//! rooms and the last positions: `switchboard-history=lobby@9f3a61c2:42`, repeated for several rooms, without a name before
//! the `@` for everyone. When it joins such a room it is told whether it can get all that it missed, and then is sent just that:
//!
//! ```json
//! { "history": { "rooms": ["lobby"], "position": "9f3a61c2:44", "recovered": true } }
//! { "history": { "rooms": ["lobby"], "position": "9f3a61c2:43" }, "text": "are you there?" }
//! ```
//!
//! `"recovered": false`: some of it is no longer kept, or the server has started anew; nothing is sent, and the client has to
//! load what it shows. Messages to single clients are no part of this, and come as they are. Clients without the parameter
//! notice nothing.

mod envelope;
mod position;
mod room;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::Rng;

use crate::interface::connection_id::ConnectionId;
use crate::message::Message;
use crate::state::id_hash::IdHash;
use crate::time::Instant;
pub(crate) use position::Position;
use room::Room;

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
    /// Distinguishes this history from that of an earlier process; made when it is needed.
    epoch: Option<u32>,
    /// The number of the latest message.
    latest: u64,
    /// The highest number in a room whose history was forgotten.
    forgotten: u64,
    bytes: usize,
    /// By name; the empty name stands for everyone on the route.
    rooms: HashMap<Arc<str>, Room>,
    followers: HashMap<ConnectionId, Follower, IdHash>,
}

/// A client that takes part.
#[derive(Debug, Default)]
struct Follower {
    /// Where it was in which room.
    from: Vec<(String, Position)>,
    /// What it was sent again of messages that went to several rooms.
    told: BTreeSet<u64>,
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
            self.followers.insert(id, Follower { from: from.collect(), told: BTreeSet::new() });
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

    /// Keeps a message to these rooms, or without any to everyone; gives it in its envelope, and the envelope alone.
    pub(crate) fn keep(
        &mut self,
        now: Instant,
        rooms: &[Arc<str>],
        message: &Message,
        random: &mut ChaCha8Rng,
    ) -> (Message, Message) {
        self.latest += 1;
        let everyone = [Arc::from("")];
        let (number, among) = (self.latest, Arc::<[Arc<str>]>::from(rooms));
        for name in if rooms.is_empty() { &everyone } else { rooms } {
            let room = self.rooms.entry(name.clone()).or_insert_with(|| Room::new(number));
            self.bytes -= room.bytes();
            room.push(now, number, message.clone(), among.clone(), &self.settings);
            self.bytes += room.bytes();
        }
        if self.rooms.len() > MOST_ROOMS || self.bytes > MOST_BYTES {
            self.forget_silent();
        }
        let position = self.position(number, random);
        (envelope::message(rooms, position, message), envelope::position(rooms, position, None))
    }

    /// A client that takes part is in a room now; the empty name: it is on the route. `None`: it does not take part.
    pub(crate) fn joined(
        &mut self,
        now: Instant,
        id: ConnectionId,
        name: &str,
        random: &mut ChaCha8Rng,
    ) -> Option<Joined> {
        let position = self.position(self.latest, random);
        let follower = self.followers.get_mut(&id)?;
        let rooms: &[Arc<str>] = if name.is_empty() { &[] } else { &[name.into()] };
        let place = follower.from.iter().position(|(room, _)| room == name);
        let Some((_, from)) = place.map(|place| follower.from.swap_remove(place)) else {
            return Some(Joined { envelope: envelope::position(rooms, position, None), missed: Vec::new() });
        };
        let missed = match self.rooms.get_mut(name) {
            _ if from.epoch != position.epoch || from.number > self.latest => None,
            Some(room) => {
                self.bytes -= room.bytes();
                let after = room.after(now, from.number, self.forgotten, &self.settings);
                self.bytes += room.bytes();
                after
            }
            None => (from.number >= self.forgotten).then(Vec::new),
        };
        let envelope = envelope::position(rooms, position, Some(missed.is_some()));
        let missed = missed.unwrap_or_default().into_iter().filter_map(|kept| {
            // A message to several rooms was perhaps sent again for another one.
            let is_new = kept.rooms.len() < 2 || follower.told.insert(kept.number);
            let position = Position { number: kept.number, ..position };
            is_new.then(|| envelope::message(&kept.rooms, position, &kept.message))
        });
        Some(Joined { envelope, missed: missed.collect() })
    }

    fn position(&mut self, number: u64, random: &mut ChaCha8Rng) -> Position {
        // 0 is what an unreadable position has.
        let epoch = *self.epoch.get_or_insert_with(|| random.next_u32().max(1));
        Position { epoch, number }
    }

    /// Something was said that is not kept: whoever was here before cannot go on.
    pub(crate) fn lose(&mut self) {
        self.latest += 1;
        self.rooms.clear();
        self.bytes = 0;
        self.forgotten = self.latest;
    }

    /// Forgets the tenth of the rooms that were silent longest, so that it does not have to be done for each message.
    fn forget_silent(&mut self) {
        let mut latest: Vec<u64> = self.rooms.values().map(Room::latest).collect();
        latest.sort_unstable();
        let limit = latest[latest.len() / 10];
        let gone = self.rooms.extract_if(|_, room| room.latest() <= limit);
        for (_, room) in gone {
            self.bytes -= room.bytes();
            self.forgotten = self.forgotten.max(room.latest());
        }
    }
}

#[cfg(test)]
mod tests;
