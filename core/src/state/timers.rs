//! Every deadline of the engine, by name.

use std::collections::{BTreeSet, HashMap};

use crate::interface::connection_id::ConnectionId;
use crate::interface::hook::CallId;
use crate::interface::upstream::UpstreamId;
use crate::state::id_hash::IdHash;
use crate::time::Instant;

/// What a deadline is for. Setting a timer again moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The host has to report `Opened`.
    Opening(ConnectionId),
    /// The first message of the inbox has waited for the route's delay.
    Delay(ConnectionId),
    /// The next ping is due.
    Heartbeat(ConnectionId),
    /// Perhaps nothing has come for too long.
    Inactivity(ConnectionId),
    /// The closing handshake has taken too long.
    Closing(ConnectionId),
    /// A hook has taken too long.
    Call(CallId),
    /// A handler's own timer for a connection.
    Connection(ConnectionId, u64),
    /// A handler's own timer for its route.
    Route(usize, u64),
    /// The host has put what came on its outgoing connections into the outbox: there may be room for more.
    Relay(ConnectionId),
    /// The host has put the answers to a client's messages into the outbox: there may be room for more.
    Answers(ConnectionId),
    /// An outgoing connection has to be open, to take something, or to be closed.
    Upstream(UpstreamId),
    /// A feed's source has something to do.
    Source(usize),
    /// Something is due for a fault of a connection.
    Fault(ConnectionId),
    /// A breakpoint has held a message for as long as it may.
    Held,
    /// Nobody has looked at breakpoints for too long.
    Breakpoints,
    /// The other nodes are told how many are where.
    Entries,
    /// A sign of life to the other nodes is due, or the lease of one of them runs out.
    Cluster,
    /// The log is told what the routes warn of.
    Start,
    /// The connections that are left after a shutdown are dropped.
    Grace,
}

impl Timer {
    /// The connection it belongs to, if it ends with one.
    fn connection(self) -> Option<ConnectionId> {
        match self {
            Timer::Opening(id)
            | Timer::Delay(id)
            | Timer::Heartbeat(id)
            | Timer::Inactivity(id)
            | Timer::Closing(id)
            | Timer::Relay(id)
            | Timer::Answers(id)
            | Timer::Fault(id)
            | Timer::Connection(id, _) => Some(id),
            Timer::Call(_)
            | Timer::Route(..)
            | Timer::Upstream(_)
            | Timer::Source(_)
            | Timer::Held
            | Timer::Breakpoints
            | Timer::Entries
            | Timer::Cluster
            | Timer::Start
            | Timer::Grace => None,
        }
    }
}

/// Deadlines in order. All operations are O(log n).
#[derive(Debug, Default)]
pub(crate) struct Timers {
    order: BTreeSet<(Instant, Timer)>,
    deadlines: HashMap<Timer, Instant, IdHash>,
    own: HashMap<ConnectionId, Vec<u64>, IdHash>,
}

impl Timers {
    /// Arms or moves a timer.
    pub(crate) fn set(&mut self, timer: Timer, deadline: Instant) {
        if let Some(old) = self.deadlines.insert(timer, deadline) {
            self.order.remove(&(old, timer));
        } else if let Timer::Connection(id, key) = timer {
            self.own.entry(id).or_default().push(key);
        }
        self.order.insert((deadline, timer));
    }

    /// Disarms a timer.
    pub(crate) fn cancel(&mut self, timer: Timer) {
        if let Some(deadline) = self.deadlines.remove(&timer) {
            self.order.remove(&(deadline, timer));
            self.forget(timer);
        }
    }

    /// Disarms everything that belongs to a connection.
    pub(crate) fn cancel_all(&mut self, id: ConnectionId) {
        for timer in [
            Timer::Opening(id),
            Timer::Delay(id),
            Timer::Heartbeat(id),
            Timer::Inactivity(id),
            Timer::Closing(id),
            Timer::Answers(id),
        ] {
            self.cancel(timer);
        }
        for key in self.own.remove(&id).unwrap_or_default() {
            self.cancel(Timer::Connection(id, key));
        }
    }

    /// Disarms the timers of a route's handler.
    pub(crate) fn cancel_route(&mut self, index: usize) {
        let of_route = |timer: &Timer| matches!(timer, Timer::Route(route, _) if *route == index);
        let timers: Vec<Timer> = self.deadlines.keys().copied().filter(of_route).collect();
        for timer in timers {
            self.cancel(timer);
        }
    }

    /// When a timer is due, if it is armed.
    pub(crate) fn deadline(&self, timer: Timer) -> Option<Instant> {
        self.deadlines.get(&timer).copied()
    }

    /// Whether a timer is armed.
    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.deadlines.contains_key(&timer)
    }

    /// The soonest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(deadline, _)| *deadline)
    }

    /// Takes the soonest timer that is due.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Timer> {
        let (deadline, timer) = *self.order.first()?;
        if deadline > now {
            return None;
        }
        self.order.pop_first();
        self.deadlines.remove(&timer);
        self.forget(timer);
        Some(timer)
    }

    /// How many timers are armed.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// How many timers are armed for `id`; 0 once it is removed.
    pub(crate) fn count(&self, id: ConnectionId) -> usize {
        self.deadlines.keys().filter(|timer| timer.connection() == Some(id)).count()
    }

    fn forget(&mut self, timer: Timer) {
        if let Timer::Connection(id, key) = timer
            && let Some(keys) = self.own.get_mut(&id)
        {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.own.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::connection_id::ConnectionIds;

    #[test]
    fn timers_come_in_order_and_once() {
        let id = ConnectionIds::default().allocate();
        let mut timers = Timers::default();
        timers.set(Timer::Heartbeat(id), Instant::from_ms(20));
        timers.set(Timer::Inactivity(id), Instant::from_ms(10));
        timers.set(Timer::Heartbeat(id), Instant::from_ms(5));
        assert_eq!(timers.next(), Some(Instant::from_ms(5)));
        assert_eq!(timers.pop(Instant::from_ms(4)), None);
        assert_eq!(timers.pop(Instant::from_ms(10)), Some(Timer::Heartbeat(id)));
        assert_eq!(timers.pop(Instant::from_ms(10)), Some(Timer::Inactivity(id)));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_connection_takes_its_timers_along() {
        let mut ids = ConnectionIds::default();
        let (a, b) = (ids.allocate(), ids.allocate());
        let mut timers = Timers::default();
        for timer in
            [Timer::Closing(a), Timer::Connection(a, 1), Timer::Connection(a, 2), Timer::Connection(b, 1)]
        {
            timers.set(timer, Instant::from_ms(1));
        }
        timers.cancel_all(a);
        assert_eq!((timers.count(a), timers.count(b)), (0, 1));
    }
}
