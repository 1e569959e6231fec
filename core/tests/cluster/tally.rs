//! How much has happened in a simulation.

use std::ops::AddAssign;

use crate::trouble::Trouble;

/// How much has happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) steps: u64,
    pub(crate) published: u64,
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) repeated: u64,
    pub(crate) changed: u64,
    pub(crate) lives: u64,
}

impl Tally {
    /// A simulation in which nothing happens proves nothing.
    pub(crate) fn assert_was_worth_it(&self, trouble: Trouble) {
        assert!(self.delivered > 5_000 && self.changed > 5_000, "{self:?}");
        // Whoever subscribes again may have missed what was published meanwhile, of a node that it still hears.
        let may_lose = trouble.loss > 0.0 || trouble.partitions || trouble.leaving;
        assert_eq!(self.lost > 0, may_lose, "{self:?}");
        assert_eq!(self.repeated > 0, trouble.repetition > 0.0, "{self:?}");
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.published += other.published;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.changed += other.changed;
        self.lives += other.lives;
    }
}
