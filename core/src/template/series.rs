//! What placeholders remember from one event to the next.

use std::collections::HashMap;

/// Counters and random walks, each under the name that its placeholder gives it.
#[derive(Clone, Debug, Default)]
pub struct Series {
    counters: HashMap<String, i64>,
    walks: HashMap<String, f64>,
}

impl Series {
    /// The next number of a counter; the first one is `first`.
    pub(super) fn count(&mut self, name: &str, first: i64, step: i64) -> i64 {
        match self.counters.get_mut(name) {
            Some(count) => {
                *count = count.saturating_add(step);
                *count
            }
            None => {
                self.counters.insert(name.to_owned(), first);
                first
            }
        }
    }

    /// The next place of a walk that began at `start`: its last one as `step` moves it.
    pub(super) fn walk(&mut self, name: &str, start: f64, step: impl FnOnce(f64) -> f64) -> f64 {
        match self.walks.get_mut(name) {
            Some(place) => {
                *place = step(*place);
                *place
            }
            None => {
                self.walks.insert(name.to_owned(), start);
                start
            }
        }
    }
}
