//! Timers whose interval changes while they run: the time that has passed counts.

use std::time::Duration;

use super::State;
use crate::interface::connection_id::ConnectionId;
use crate::state::heartbeat::Heartbeat;
use crate::state::timers::{Timer, Timers};
use crate::time::{self, Instant};

impl Timers {
    /// Changes the interval of a timer. One that is armed is due as long after its interval began as the new one lasts, but
    /// not before `now`; without a new interval it is disarmed. One that had no interval begins `now`, and one that had one
    /// and is not armed stays so.
    pub(crate) fn change(
        &mut self,
        timer: Timer,
        (earlier, next): (Option<Duration>, Option<Duration>),
        now: Instant,
    ) {
        match (earlier, next, self.deadline(timer)) {
            (earlier, next, _) if earlier == next => {}
            (_, None, _) => self.cancel(timer),
            (Some(earlier), Some(next), Some(deadline)) => {
                let begun = deadline.as_ms().saturating_sub(time::ms(earlier));
                self.set(timer, (Instant::from_ms(begun) + next).max(now));
            }
            (None, Some(next), _) => self.set(timer, now + next),
            (Some(_), Some(_), None) => {}
        }
    }
}

impl State {
    /// Gives an open connection its route's new heartbeat, unless user code has set another one.
    pub(crate) fn change_heartbeat(
        &mut self,
        id: ConnectionId,
        (earlier, next): (Option<Duration>, Option<Duration>),
        now: Instant,
    ) {
        let Some(connection) = self.connections.get_mut(id).filter(|connection| connection.is_open()) else {
            return;
        };
        let interval = |of: Option<Duration>| Heartbeat::start(of.map(time::ms)).interval;
        if interval(earlier) == interval(next) || connection.heartbeat.interval != interval(earlier) {
            return;
        }
        match connection.heartbeat.interval {
            Some(_) => connection.heartbeat.interval = interval(next),
            None => connection.heartbeat = Heartbeat::start(next.map(time::ms)),
        }
        let is_on = |of: &Duration| interval(Some(*of)).is_some();
        self.timers.change(Timer::Heartbeat(id), (earlier.filter(is_on), next.filter(is_on)), now);
    }

    /// Gives an open connection its route's new inactivity timeout, unless user code has set another one. The silence so far
    /// counts.
    pub(crate) fn change_inactivity(
        &mut self,
        id: ConnectionId,
        (earlier, next): (Option<Duration>, Option<Duration>),
        now: Instant,
    ) {
        let Some(connection) = self.connections.get_mut(id).filter(|connection| connection.is_open()) else {
            return;
        };
        if !connection.inactivity.change(earlier.map(time::ms), next.map(time::ms)) {
            return;
        }
        match connection.inactivity.deadline() {
            Some(deadline) => self.timers.set(Timer::Inactivity(id), deadline.max(now)),
            None => self.timers.cancel(Timer::Inactivity(id)),
        }
    }
}
