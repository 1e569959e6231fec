//! How often a connection may change its subscription.

use super::options::RateLimitOptions;
use crate::handler::context::Context;
use crate::time::Instant;

/// A token bucket in ms of refill time, so that it needs no fractions.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// When the bucket will be full.
    full_at: Instant,
}

impl Bucket {
    /// Takes a token from the connection's bucket, or says why not.
    pub(super) fn take(cx: &mut Context<'_>, limit: &RateLimitOptions) -> Result<(), String> {
        let now = cx.now().instant;
        let Some(connection) = cx.connection_mut() else {
            return Ok(());
        };
        let bucket = connection.metadata_mut().get_or_insert_with(|| Bucket { full_at: now });
        if bucket.try_take(now, limit) {
            return Ok(());
        }
        let RateLimitOptions { updates, per } = limit;
        Err(format!("[rate_limit:exceeded] Too many subscription updates (max: {updates} in {per} ms)"))
    }

    fn try_take(&mut self, now: Instant, limit: &RateLimitOptions) -> bool {
        let price = limit.per / u64::from(limit.updates.max(1));
        let full_at = self.full_at.max(now) + price;
        let affordable = limit.updates > 0 && full_at.ms_since(now) <= limit.per;
        if affordable {
            self.full_at = full_at;
        }
        affordable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_up_again() {
        let limit = RateLimitOptions { updates: 2, per: 1_000 };
        let mut bucket = Bucket { full_at: Instant::from_ms(0) };
        let mut take = |ms| bucket.try_take(Instant::from_ms(ms), &limit);
        assert_eq!(
            [take(0), take(0), take(0), take(499), take(500), take(500)],
            [true, true, false, false, true, false]
        );
        assert_eq!([take(5_000), take(5_000), take(5_000)], [true, true, false]);
        let none = RateLimitOptions { updates: 0, per: 1_000 };
        assert!(!Bucket { full_at: Instant::from_ms(0) }.try_take(Instant::from_ms(9_000), &none));
    }
}
