//! How long things took.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Percentiles of many durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half took no longer.
    pub p50: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
    /// None took longer.
    pub longest: Duration,
}

impl Latency {
    /// `None` without any.
    pub fn of(mut durations: Vec<Duration>) -> Option<Self> {
        durations.sort_unstable();
        let longest = *durations.last()?;
        let at = |part: f64| {
            let rank = (part * durations.len() as f64).ceil() as usize;
            durations[rank.clamp(1, durations.len()) - 1]
        };
        Some(Self { p50: at(0.5), p99: at(0.99), longest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let durations = (1..=200).rev().map(Duration::from_millis).collect();
        let [p50, p99, longest] = [100, 198, 200].map(Duration::from_millis);
        assert_eq!(Latency::of(durations), Some(Latency { p50, p99, longest }));
        let one = Duration::from_millis(7);
        assert_eq!(Latency::of(vec![one]), Some(Latency { p50: one, p99: one, longest: one }));
        assert_eq!(Latency::of(Vec::new()), None);
    }
}
