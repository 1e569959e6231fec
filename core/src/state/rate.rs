//! How many messages a client may send.

use crate::time::Instant;

/// A token bucket: `burst` messages at once, `per_second` in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRate {
    /// Tokens that come back each second.
    pub per_second: u32,
    /// Tokens that the full bucket holds.
    pub burst: u32,
}

/// What is left in one client's bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    /// Thousandths of tokens that were taken and have not come back.
    taken: u64,
    at: Instant,
}

impl Bucket {
    /// Takes a token; false when there is none.
    pub(crate) fn take(&mut self, rate: MessageRate, now: Instant) -> bool {
        let returned = now.ms_since(self.at).saturating_mul(rate.per_second.into());
        self.taken = self.taken.saturating_sub(returned);
        self.at = now;
        let taken = self.taken + 1_000;
        if taken > u64::from(rate.burst) * 1_000 {
            return false;
        }
        self.taken = taken;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let rate = MessageRate { per_second: 10, burst: 3 };
        let mut bucket = Bucket::default();
        let mut take = |ms| bucket.take(rate, Instant::from_ms(ms));
        assert_eq!([take(0), take(0), take(0), take(0)], [true, true, true, false]);
        assert_eq!([take(99), take(100), take(100)], [false, true, false]);
        assert_eq!([take(10_000), take(10_000), take(10_000), take(10_000)], [true, true, true, false]);
    }
}
