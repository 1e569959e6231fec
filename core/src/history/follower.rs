//! A client that takes part.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::position::{Numbers, Offset, Position};

/// The most messages to several rooms that are known to have been sent again.
const MOST_TOLD: usize = 10_000;

/// What is known of a client that takes part.
#[derive(Debug, Default)]
pub(super) struct Follower {
    /// Where it was in which room.
    from: Vec<(String, Position)>,
    /// What it was sent again of messages that went to several rooms, and for which of them.
    told: BTreeMap<Offset, Arc<str>>,
    /// What it has heard at another node that has not come here yet, by room.
    ahead: Vec<(Arc<str>, Numbers)>,
    /// What was said before it joined, and has not come here yet, by room.
    before: Vec<(Arc<str>, Numbers)>,
}

impl Follower {
    pub(super) fn new(from: Vec<(String, Position)>) -> Self {
        Self { from, ..Self::default() }
    }

    /// Where it was in a room, once.
    pub(super) fn take_from(&mut self, room: &str) -> Option<Position> {
        let offset = self.from.iter().position(|(name, _)| name == room)?;
        Some(self.from.swap_remove(offset).1)
    }

    /// It says anew where it was in a room.
    pub(super) fn set_from(&mut self, room: &str, position: Option<Position>) {
        self.take_from(room);
        self.from.extend(position.map(|position| (room.to_owned(), position)));
    }

    /// Whether a message that it has missed in a room is new to it: one to several rooms was perhaps sent again for another one.
    pub(super) fn is_new(&mut self, offset: Offset, room: &str, rooms: usize) -> bool {
        if rooms < 2 {
            return true;
        }
        let is_new = **self.told.entry(offset).or_insert_with(|| room.into()) == *room;
        if self.told.len() > MOST_TOLD {
            self.told.pop_first();
        }
        is_new
    }

    /// It has heard more in a room than came here until now.
    pub(super) fn set_ahead(&mut self, room: &str, numbers: Numbers) {
        self.ahead.retain(|(name, _)| &**name != room);
        if !numbers.is_empty() {
            self.ahead.push((room.into(), numbers));
        }
    }

    /// So much was said in a room when it joined, which has not come here as it was said.
    pub(super) fn set_before(&mut self, room: &str, numbers: Numbers) {
        self.before.retain(|(name, _)| &**name != room);
        if !numbers.is_empty() {
            self.before.push((room.into(), numbers));
        }
    }

    /// Whether it misses something in a room when messages up to these do not come.
    pub(super) fn misses(&self, room: &str, lost: &Numbers) -> bool {
        let known = || self.ahead.iter().chain(&self.before).filter(|(name, _)| &**name == room);
        !lost.iter().all(|offset| known().any(|(_, numbers)| numbers.has(offset)))
    }

    pub(super) fn is_ahead(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Forgets what has come meanwhile.
    pub(super) fn catch_up(&mut self, here: &Numbers) {
        self.ahead.retain_mut(|(_, numbers)| {
            numbers.retain(|offset| !here.has(offset));
            !numbers.is_empty()
        });
    }

    /// Whether it has heard a message to these rooms already; the empty name: everyone.
    pub(super) fn has_heard(&self, rooms: &[Arc<str>], offset: Offset) -> bool {
        self.ahead_in(rooms).any(|numbers| numbers.has(offset))
    }

    /// How far it is in all of these rooms, beyond what has come here.
    pub(super) fn raise(&self, rooms: &[Arc<str>], position: &mut Position) {
        let count = rooms.len().max(1);
        let ahead: Vec<&Numbers> = self.ahead_in(rooms).collect();
        // What it has heard in one of several rooms says nothing about the others.
        let Some(first) = ahead.first().filter(|_| ahead.len() == count) else { return };
        for Offset { epoch, .. } in first.iter() {
            if let Some(number) = ahead.iter().map(|numbers| numbers.get(epoch)).min().flatten() {
                position.numbers.raise(Offset { epoch, number });
            }
        }
    }

    fn ahead_in<'a>(&'a self, rooms: &'a [Arc<str>]) -> impl Iterator<Item = &'a Numbers> {
        let is_one = move |name: &Arc<str>| match rooms {
            [] => name.is_empty(),
            _ => rooms.contains(name),
        };
        self.ahead.iter().filter(move |(name, _)| is_one(name)).map(|(_, numbers)| numbers)
    }
}
