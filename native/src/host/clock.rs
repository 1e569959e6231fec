//! The two clocks of the engine.

use std::time::{Duration, SystemTime};

use switchboard_core::time::{Instant, Now, WallTime};

/// Counts ms from the start of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    zero: tokio::time::Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { zero: tokio::time::Instant::now() }
    }

    /// This moment on both clocks.
    pub(crate) fn now(self) -> Now {
        let instant = Instant::from_ms(self.zero.elapsed().as_millis() as u64);
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now { instant, wall: WallTime::from_us(wall.as_micros() as u64) }
    }

    /// The engine's `instant` for tokio. `None` if it is beyond the clock's range.
    pub(crate) fn tokio_instant(self, instant: Instant) -> Option<tokio::time::Instant> {
        self.zero.checked_add(Duration::from_millis(instant.as_ms()))
    }
}
