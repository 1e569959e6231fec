//! How long a connection that is being closed may take.

use std::time::Duration;

use crate::time::{self, Instant};

/// How many times `closeTimeout` the other side may take in all, however steadily it reads.
const MAX_TIMEOUTS: u32 = 6;

/// How often the host is asked within one timeout.
const CHECKS: u32 = 4;

/// When a connection that is closed now is given up in any case.
pub(crate) fn latest(now: Instant, timeout: Duration) -> Instant {
    now + timeout.saturating_mul(MAX_TIMEOUTS)
}

/// Waits for a client to take what was sent before the close frame, and to answer that.
///
/// The timeout begins anew whenever the client has taken something. The host is asked a few times within it, so a client
/// that stops is given up after one timeout and a quarter at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloseWait {
    timeout: Duration,
    /// When the client is given up, if it takes nothing more.
    until: Instant,
    /// When it is given up in any case.
    latest: Instant,
    /// How many bytes it had not taken when the host was last asked.
    unsent: Option<usize>,
}

impl CloseWait {
    /// Begins to wait.
    pub(crate) fn new(now: Instant, timeout: Duration) -> Self {
        Self { timeout, until: now + timeout, latest: latest(now, timeout), unsent: None }
    }

    /// The client has done something: it may take the whole timeout again.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.until = (now + self.timeout).min(self.latest);
    }

    /// When the host is to be asked next.
    pub(crate) fn next_check(&self, now: Instant) -> Instant {
        let next = now + self.interval();
        if self.until > now { next.min(self.until) } else { next }
    }

    /// Takes note of how many bytes the client has not taken yet. The first time, bytes that wait count as progress, as
    /// there is nothing to compare them with.
    pub(crate) fn note_unsent(&mut self, now: Instant, unsent: usize) {
        let before = self.unsent.replace(unsent);
        if before.map_or(unsent > 0, |before| unsent < before) {
            self.restart(now);
        }
    }

    /// Whether the client is to be given up.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.until
    }

    /// Whether it is to be given up although the host has not answered.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        now >= self.latest || now >= self.until + self.interval()
    }

    fn interval(&self) -> u64 {
        time::ms(self.timeout / CHECKS).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the host says at each check, and when the wait is over.
    fn over(timeout_ms: u64, unsent: impl Fn(u64) -> usize) -> u64 {
        let mut wait = CloseWait::new(Instant::default(), Duration::from_millis(timeout_ms));
        let mut now = Instant::default();
        loop {
            now = wait.next_check(now);
            if wait.is_overdue(now) {
                return now.as_ms();
            }
            wait.note_unsent(now, unsent(now.as_ms()));
            if wait.is_over(now) {
                return now.as_ms();
            }
        }
    }

    #[test]
    fn the_timeout_counts_from_the_last_progress() {
        for (expected, unsent) in [
            // All was taken at once.
            (1_000, (|_| 0) as fn(u64) -> usize),
            // Nothing is ever taken.
            (1_250, |_| 100),
            // Something is taken until 2,000 ms.
            (3_000, |ms| 3_000 - ms.min(2_000) as usize),
            // All is taken at 900 ms, which is seen at 1,000 ms.
            (2_000, |ms| if ms < 900 { 100 } else { 0 }),
            // One byte at a time, for ever.
            (6_000, |ms| 1_000_000 - ms as usize),
        ] {
            assert_eq!(over(1_000, unsent), expected);
        }
        assert_eq!(over(1, |_| 0), 1);
    }
}
