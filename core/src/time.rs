//! Time as the host tells it: the core never reads a clock.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// A point on the host's monotonic clock, in ms since a moment of the host's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// `ms` milliseconds after the host's zero.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the host's zero.
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; 0 when `earlier` is later.
    pub const fn ms_since(self, earlier: Instant) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Adds milliseconds; stops at the end of time instead of wrapping.
impl Add<u64> for Instant {
    type Output = Instant;

    fn add(self, ms: u64) -> Instant {
        Instant(self.0.saturating_add(ms))
    }
}

/// Adds a duration; a part of a millisecond counts as a whole one. Stops at the end of time instead of wrapping.
impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        self + ms(duration)
    }
}

/// Milliseconds, rounded up, so that a short wait does not become 0.
pub(crate) fn ms(duration: Duration) -> u64 {
    let rest = u64::from(duration.subsec_nanos().div_ceil(1_000_000));
    duration.as_secs().saturating_mul(1000).saturating_add(rest)
}

/// The two clocks of one moment: the monotonic one for deadlines, the wall clock for timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For deadlines; never goes backwards.
    pub instant: Instant,
    /// For timestamps that users see.
    pub wall: WallTime,
}

/// Wall time in µs since 1970-01-01T00:00:00Z. Displays as ISO 8601 with ms, as JavaScript's `toISOString`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(u64);

impl WallTime {
    /// `us` microseconds after the epoch.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// Microseconds since the epoch.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// Milliseconds since the epoch, as JavaScript's `Date.now()`.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1000
    }

    /// ISO 8601 with µs, as Elixir prints it: `2026-11-20T10:28:09.747484Z`.
    pub fn to_iso_us(self) -> String {
        self.format(chrono::SecondsFormat::Micros)
    }

    fn format(self, seconds: chrono::SecondsFormat) -> String {
        let us = i64::try_from(self.0).unwrap_or(i64::MAX);
        chrono::DateTime::from_timestamp_micros(us).unwrap_or_default().to_rfc3339_opts(seconds, true)
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format(chrono::SecondsFormat::Millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_prints_as_javascript_and_elixir_do() {
        let time = WallTime::from_us(1_795_170_489_747_484);
        assert_eq!(time.to_string(), "2026-11-20T10:28:09.747Z");
        assert_eq!(time.to_iso_us(), "2026-11-20T10:28:09.747484Z");
        assert_eq!(WallTime::default().to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn instants_saturate() {
        assert_eq!(Instant::from_ms(u64::MAX) + 5, Instant::from_ms(u64::MAX));
        assert_eq!(Instant::from_ms(3).ms_since(Instant::from_ms(7)), 0);
        assert_eq!(Instant::from_ms(3) + Duration::MAX, Instant::from_ms(u64::MAX));
    }

    #[test]
    fn a_part_of_a_millisecond_is_waited_for() {
        let after = |duration: Duration| (Instant::from_ms(1) + duration).as_ms();
        assert_eq!(after(Duration::ZERO), 1);
        assert_eq!(after(Duration::from_nanos(1)), 2);
        assert_eq!(after(Duration::from_millis(3)), 4);
    }
}
