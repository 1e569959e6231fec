//! A handler's own timers: for a connection, and for its route.

use std::time::Duration;

use super::Context;
use crate::state::timers::Timer;
use crate::time::Instant;

impl Context<'_> {
    /// Sets or moves this handler's timer `key` for this connection, `after` from now. It ends with the
    /// connection.
    pub fn set_timer(&mut self, key: u64, after: Duration) {
        if let Some(id) = self.id {
            self.state.timers.set(Timer::Connection(id, key), self.now.instant + after);
        }
    }

    /// Disarms timer `key` of this connection.
    pub fn cancel_timer(&mut self, key: u64) {
        if let Some(id) = self.id {
            self.state.timers.cancel(Timer::Connection(id, key));
        }
    }

    /// Whether timer `key` of this connection is armed.
    pub fn has_timer(&self, key: u64) -> bool {
        self.id.is_some_and(|id| self.state.timers.is_set(Timer::Connection(id, key)))
    }

    /// Changes the interval of timer `key` of this connection: see [`Timers::change`](crate::state::timers::Timers::change).
    pub(crate) fn change_timer(&mut self, key: u64, intervals: (Option<Duration>, Option<Duration>)) {
        if let Some(id) = self.id {
            self.state.timers.change(Timer::Connection(id, key), intervals, self.now.instant);
        }
    }

    /// Sets or moves timer `key` of this connection to a time.
    pub(crate) fn set_timer_at(&mut self, key: u64, deadline: Instant) {
        if let Some(id) = self.id {
            self.state.timers.set(Timer::Connection(id, key), deadline);
        }
    }

    /// When timer `key` of this connection is due, if it is armed.
    pub(crate) fn timer_deadline(&self, key: u64) -> Option<Instant> {
        self.state.timers.deadline(Timer::Connection(self.id?, key))
    }

    /// Sets or moves this handler's timer `key` for the route, `after` from now.
    pub fn set_route_timer(&mut self, key: u64, after: Duration) {
        self.state.timers.set(Timer::Route(self.route, key), self.now.instant + after);
    }

    /// Disarms timer `key` of the route.
    pub fn cancel_route_timer(&mut self, key: u64) {
        self.state.timers.cancel(Timer::Route(self.route, key));
    }
}
