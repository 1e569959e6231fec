//! How long calls of user code took lately.

use std::collections::VecDeque;

use crate::interface::stats::HandlerTime;
use crate::time::WallTime;

/// The length of a slice in µs. Slices are forgotten as a whole.
const SLICE: u64 = 5_000_000;

/// How many slices count: those of a minute.
const SLICES: u64 = 12;

/// The parts of each power of two: what is told is wrong by 6 % at most.
const PARTS: u32 = 8;

/// The longest time that is told apart is 2 to this power in µs, about 19 hours.
const MAX_POWER: u32 = 36;

const BUCKETS: usize = ((MAX_POWER - 1) * PARTS) as usize;

/// The times of the last minute, in a fixed histogram.
#[derive(Debug, Default)]
pub(crate) struct HandlerTimes {
    slices: VecDeque<Slice>,
}

#[derive(Debug)]
struct Slice {
    /// Counts slices since 1970.
    number: u64,
    counts: Box<[u32; BUCKETS]>,
    /// In µs.
    max: u64,
}

impl HandlerTimes {
    /// A call that began then has ended now.
    pub(crate) fn note(&mut self, now: WallTime, began: WallTime) {
        let (now, took) = (now.as_us(), now.as_us().saturating_sub(began.as_us()));
        let number = now / SLICE;
        if self.slices.back().is_none_or(|slice| slice.number != number) {
            self.slices.push_back(Slice { number, counts: Box::new([0; BUCKETS]), max: 0 });
            // Clocks can be set back.
            self.slices.retain(|slice| slice.number.abs_diff(number) < SLICES);
        }
        if let Some(slice) = self.slices.back_mut() {
            let count = &mut slice.counts[bucket(took)];
            *count = count.saturating_add(1);
            slice.max = slice.max.max(took);
        }
    }

    /// What the calls that ended in the minute before took.
    pub(crate) fn summary(&self, now: WallTime) -> HandlerTime {
        let number = now.as_us() / SLICE;
        let lately = || self.slices.iter().filter(|slice| slice.number.abs_diff(number) < SLICES);
        let mut counts = [0u64; BUCKETS];
        for slice in lately() {
            counts.iter_mut().zip(slice.counts.iter()).for_each(|(sum, count)| *sum += u64::from(*count));
        }
        let count: u64 = counts.iter().sum();
        let max = lately().map(|slice| slice.max).max().unwrap_or(0);
        let at = |share: f64| {
            // The smallest time that so many calls did not exceed.
            let rank = ((count as f64 * share).ceil() as u64).max(1);
            let mut seen = 0;
            let place = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            });
            ms(place.map_or(0, middle).min(max))
        };
        HandlerTime { count, median: at(0.5), p99: at(0.99), max: ms(max) }
    }
}

fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

fn bucket(us: u64) -> usize {
    if us < u64::from(PARTS) {
        return us as usize;
    }
    let power = us.ilog2();
    let part = (us >> (power - PARTS.ilog2())) as u32 - PARTS;
    (((power - 2) * PARTS + part) as usize).min(BUCKETS - 1)
}

/// The middle of a bucket in µs.
fn middle(bucket: usize) -> u64 {
    let parts = PARTS as usize;
    if bucket < parts {
        return bucket as u64;
    }
    let shift = bucket / parts - 1;
    (((parts + bucket % parts) as u64) << shift) + (1 << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> WallTime {
        WallTime::from_us(us)
    }

    #[test]
    fn buckets_are_near_what_is_in_them() {
        for us in
            (0..20_000).chain((14..36).flat_map(|power| [1 << power, (1 << power) + 1, (1 << power) - 1]))
        {
            let shown = middle(bucket(us));
            assert!(shown.abs_diff(us) * 100 <= us * 7, "{us} is shown as {shown}");
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn the_median_and_the_slowest_of_the_last_minute_are_told() {
        let (mut times, start) = (HandlerTimes::default(), 1_000_000_000);
        assert_eq!(times.summary(at(start)), HandlerTime::default());
        for n in 0..100u64 {
            times.note(at(start), at(start - if n < 98 { 1_000 } else { 500_000 }));
        }
        let HandlerTime { count, median, p99, max } = times.summary(at(start + 30_000_000));
        assert_eq!((count, max), (100, 500.0));
        assert!((0.93..=1.07).contains(&median), "{median}");
        assert!((470.0..=500.0).contains(&p99), "{p99}");
        times.note(at(start + 30_000_000), at(start + 29_998_000));
        assert_eq!(times.summary(at(start + 59_000_000)).count, 101);
        let later = times.summary(at(start + 80_000_000));
        assert_eq!((later.count, later.max), (1, 2.0), "the others are older than a minute");
        assert_eq!(times.summary(at(start + 200_000_000)).count, 0);
    }

    #[test]
    fn a_clock_that_is_set_back_does_no_harm() {
        let mut times = HandlerTimes::default();
        times.note(at(1_000_000_000), at(2_000_000_000));
        times.note(at(500_000_000), at(499_000_000));
        assert_eq!(times.summary(at(500_000_000)).count, 1);
        assert!(times.slices.len() <= SLICES as usize);
    }
}
