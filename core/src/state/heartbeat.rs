//! The heartbeat and the inactivity timeout of a connection.

use std::num::NonZeroU64;

use crate::time::Instant;

/// Pings a client and counts the pongs that did not come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heartbeat {
    /// Time between two pings in ms; `None` while off.
    pub(crate) interval: Option<NonZeroU64>,
    missed: u32,
}

impl Heartbeat {
    /// What every ping of the heartbeat carries.
    pub(crate) const PAYLOAD: &'static [u8] = b"heartbeat";
    /// The close reason after too many missed pongs.
    pub(crate) const REASON: &'static str = "No pong received";
    const MAX_MISSED: u32 = 3;

    /// Starts or stops; either way nothing counts as missed.
    pub(crate) fn start(interval: Option<u64>) -> Self {
        Self { interval: interval.and_then(NonZeroU64::new), missed: 0 }
    }

    /// A pong came, or user code resets the count.
    pub(crate) fn answered(&mut self) {
        self.missed = 0;
    }

    /// The interval is over. True: send a ping. False: three pings in a row had no answer.
    pub(crate) fn tick(&mut self) -> bool {
        if self.missed >= Self::MAX_MISSED {
            return false;
        }
        self.missed += 1;
        true
    }
}

/// Remembers when the client sent something last. Moving a timer with each message would cost more than the message
/// itself, so the timer stays where it is, and when it is due this tells whether the client was silent for that long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inactivity {
    /// The longest silence in ms; `None` while off.
    pub(crate) timeout: Option<NonZeroU64>,
    last: Instant,
}

impl Inactivity {
    /// The close reason after a silence.
    pub(crate) const REASON: &'static str = "Inactivity timeout";

    /// Starts or stops, as of `now`.
    pub(crate) fn start(timeout: Option<u64>, now: Instant) -> Self {
        Self { timeout: timeout.and_then(NonZeroU64::new), last: now }
    }

    /// Changes the timeout if it is `earlier`; gives whether it changed. When the client sent something last stays known.
    pub(crate) fn change(&mut self, earlier: Option<u64>, next: Option<u64>) -> bool {
        let (earlier, next) = (earlier.and_then(NonZeroU64::new), next.and_then(NonZeroU64::new));
        let changes = self.timeout == earlier && earlier != next;
        if changes {
            self.timeout = next;
        }
        changes
    }

    /// Data or a ping came.
    pub(crate) fn touch(&mut self, now: Instant) {
        self.last = now;
    }

    /// When the silence becomes too long, unless something comes.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.timeout.map(|ms| self.last + ms.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_tick_without_a_pong_ends_it() {
        let mut heartbeat = Heartbeat::start(Some(200));
        assert_eq!([(); 4].map(|()| heartbeat.tick()), [true, true, true, false]);
        heartbeat.answered();
        assert!(heartbeat.tick());
    }

    #[test]
    fn zero_means_off() {
        assert_eq!(Heartbeat::start(Some(0)).interval, None);
        assert_eq!(Inactivity::start(Some(0), Instant::default()).deadline(), None);
    }
}
