//! Breakpoints, and the messages that they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rules::Reach;
use crate::control::event::{Happening, MessageDirection, Peer, Release, What};
use crate::fault::FaultStage;
use crate::fault::breakpoint::Criteria;
use crate::interface::connection_id::ConnectionId;
use crate::message::Message;
use crate::state::connection::Connection;
use crate::time::{Instant, Now};

/// The most breakpoints that there may be.
pub(super) const MOST: usize = 64;

/// The most messages that may be held.
const MOST_HELD: usize = 1_000;

/// The most bytes of messages that may be held, 16 MiB.
const MOST_BYTES: usize = 16 << 20;

/// All breakpoints of a server.
#[derive(Debug, Default)]
pub(super) struct Breakpoints {
    /// In the order in which they were added.
    pub(super) all: Vec<Breakpoint>,
    /// What is held, by its number.
    pub(super) held: BTreeMap<u64, Held>,
    deadlines: BTreeSet<(Instant, u64)>,
    bytes: usize,
    pub(super) numbers: Numbers,
    /// What subscribers are told next.
    pub(super) told: Vec<Happening>,
    /// Until when those that end by themselves are kept without a subscriber.
    pub(super) kept_until: Option<Instant>,
    /// When the timer for what is held goes off.
    pub(super) armed: Option<Instant>,
}

/// The numbers that were given out last: one that was used never names another.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct Numbers {
    breakpoint: u64,
    held: u64,
}

/// What is asked of a breakpoint.
#[derive(Debug)]
pub(in crate::engine) struct AddedBreakpoint {
    pub(in crate::engine) criteria: Criteria,
    /// After so many messages it ends.
    pub(in crate::engine) limit: Option<u64>,
    /// How long each message is held at most, in ms.
    pub(in crate::engine) timeout: u64,
    /// Whether it stays when nobody is told live events.
    pub(in crate::engine) persist: bool,
}

/// One breakpoint.
#[derive(Debug)]
pub(in crate::engine) struct Breakpoint {
    pub(in crate::engine) id: u64,
    pub(super) reach: Reach,
    pub(super) room: Option<String>,
    pub(super) added: AddedBreakpoint,
    /// How many messages it has held.
    pub(in crate::engine) caught: u64,
    /// How many it would have held, if there had been room.
    pub(in crate::engine) missed: u64,
}

/// A message that is held.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Held {
    /// The breakpoint, which may have ended since.
    pub(in crate::engine) breakpoint: u64,
    pub(in crate::engine) connection: Peer,
    pub(in crate::engine) route: usize,
    pub(in crate::engine) direction: MessageDirection,
    pub(in crate::engine) message: Message,
    /// Since when, in ms since 1970.
    pub(in crate::engine) at: u64,
    /// For how long at most, in ms.
    pub(in crate::engine) timeout: u64,
    until: Instant,
    /// Whether it stays when nobody is told live events, as its breakpoint does.
    persist: bool,
}

impl Breakpoint {
    /// Whether it may ever hold a message of a connection, whatever rooms that is in.
    pub(super) fn may_reach(&self, connection: &Connection) -> bool {
        self.reach.has(connection)
    }

    fn is_for(&self, connection: &Connection) -> bool {
        self.may_reach(connection) && self.room.as_ref().is_none_or(|room| connection.is_in_room(room))
    }
}

impl Breakpoints {
    pub(super) fn new(numbers: Numbers) -> Self {
        Self { numbers, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.held.is_empty() && self.told.is_empty() && self.armed.is_none()
    }

    /// Adds one, and gives its number.
    pub(super) fn add(&mut self, added: AddedBreakpoint, reach: Reach, room: Option<String>) -> u64 {
        self.numbers.breakpoint += 1;
        let id = self.numbers.breakpoint;
        self.all.push(Breakpoint { id, reach, room, added, caught: 0, missed: 0 });
        id
    }

    pub(super) fn may_reach(&self, connection: &Connection) -> bool {
        self.all.iter().any(|breakpoint| breakpoint.may_reach(connection))
    }

    /// Holds a message, if a breakpoint is for it: its number.
    pub(super) fn catch(
        &mut self,
        now: Now,
        connection: &Connection,
        direction: MessageDirection,
        message: &Message,
    ) -> Option<u64> {
        let stage = match direction {
            MessageDirection::In => FaultStage::Receive,
            MessageDirection::Out => FaultStage::Send,
        };
        let place = self.all.iter().position(|breakpoint| {
            breakpoint.is_for(connection) && breakpoint.added.criteria.matches(stage, message)
        })?;
        let breakpoint = &mut self.all[place];
        self.numbers.held += 1;
        let (id, timeout) = (self.numbers.held, breakpoint.added.timeout);
        let held = Held {
            breakpoint: breakpoint.id,
            connection: Peer::of(connection),
            route: connection.route,
            direction,
            message: message.clone(),
            at: now.wall.as_ms(),
            timeout,
            until: now.instant + timeout,
            persist: breakpoint.added.persist,
        };
        if self.held.len() >= MOST_HELD || self.bytes + message.len() > MOST_BYTES {
            breakpoint.missed += 1;
            self.told.push(released(id, &held, Release::Full, None));
            return None;
        }
        breakpoint.caught += 1;
        if breakpoint.added.limit.is_some_and(|limit| breakpoint.caught >= limit) {
            self.all.remove(place);
        }
        self.bytes += message.len();
        self.deadlines.insert((held.until, id));
        let (breakpoint, message, until) = (held.breakpoint, message.clone(), held.at + timeout);
        self.told.push(held.happening(What::Held { id, breakpoint, direction, message, until }));
        self.held.insert(id, held);
        Some(id)
    }

    /// Takes a message off the list, and tells what becomes of it.
    pub(super) fn take(&mut self, id: u64, how: Release, edited: Option<&Message>) -> Option<Held> {
        let held = self.held.remove(&id)?;
        self.deadlines.remove(&(held.until, id));
        self.bytes -= held.message.len();
        self.told.push(released(id, &held, how, edited));
        Some(held)
    }

    /// Takes breakpoints back, by their number and whether they persist: how many, and what they hold. Those that have
    /// reached their limit are there as long as they hold something.
    pub(super) fn remove(&mut self, is_removed: impl Fn(u64, bool) -> bool) -> (usize, Vec<u64>) {
        let is_of = |held: &Held| is_removed(held.breakpoint, held.persist);
        let held: Vec<(u64, u64)> = self
            .held
            .iter()
            .filter(|(_, held)| is_of(held))
            .map(|(id, held)| (*id, held.breakpoint))
            .collect();
        let mut removed: BTreeSet<u64> = held.iter().map(|(_, breakpoint)| *breakpoint).collect();
        removed.extend(self.all.extract_if(.., |it| is_removed(it.id, it.added.persist)).map(|it| it.id));
        (removed.len(), held.into_iter().map(|(id, _)| id).collect())
    }

    /// Whether anything of it ends when nobody looks at it.
    pub(super) fn is_passing(&self) -> bool {
        self.all.iter().any(|breakpoint| !breakpoint.added.persist)
            || self.held.values().any(|held| !held.persist)
    }

    /// What was held long enough.
    pub(super) fn due(&self, now: Instant) -> Option<u64> {
        self.deadlines.first().filter(|(until, _)| *until <= now).map(|(_, id)| *id)
    }

    /// When something was held long enough next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.deadlines.first().map(|(until, _)| *until)
    }

    /// The messages of one connection, or those in one direction.
    pub(super) fn of(&self, id: ConnectionId, direction: Option<MessageDirection>) -> Vec<u64> {
        let is_of = |held: &Held| held.connection.id == id && direction.is_none_or(|it| it == held.direction);
        self.held.iter().filter(|(_, held)| is_of(held)).map(|(id, _)| *id).collect()
    }

    /// A connection is gone, and with it what is for it alone.
    pub(super) fn forget(&mut self, id: ConnectionId) {
        self.all.retain(|breakpoint| !matches!(breakpoint.reach, Reach::Connection(other) if other == id));
    }
}

impl Held {
    fn happening(&self, what: What) -> Happening {
        let (route, peer) = (Some(self.route), Some(self.connection.clone()));
        Happening { route, peer, receivers: Arc::default(), what }
    }
}

fn released(id: u64, held: &Held, how: Release, edited: Option<&Message>) -> Happening {
    let (breakpoint, direction, message) = (held.breakpoint, held.direction, edited.cloned());
    held.happening(What::Released { id, breakpoint, direction, how, message })
}
