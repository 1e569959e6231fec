//! What is known of each server that says something: how much it has said, and from where on all of it has come.

use std::collections::BTreeMap;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::Rng;

use super::position::{Epoch, Numbers, Offset, Position};
use crate::cluster::Node;
use crate::time::{Instant, Now};

/// How many epochs are known at most. Beyond it those that were over first are forgotten.
pub(super) const MOST: usize = 256;

/// The own epoch and those of other nodes.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    /// Made when it is needed.
    own: Option<Epoch>,
    known: BTreeMap<Epoch, Progress>,
    /// When the youngest of those was born that were forgotten.
    horizon: u32,
}

/// How far an epoch is.
#[derive(Debug)]
struct Progress {
    /// The number of the latest message that has come.
    number: u64,
    /// All messages behind this one have come.
    whole_from: u64,
    /// The highest number that a node has told of.
    told: u64,
    /// Since when that is higher than what has come.
    told_at: Instant,
    /// Whose epoch it is, if that node was heard itself.
    node: Option<Node>,
    /// Whether that node has left, as far as is known.
    is_over: bool,
    heard: Instant,
}

impl Progress {
    fn new(now: Instant, number: u64, whole_from: u64) -> Self {
        Self { number, whole_from, told: number, told_at: now, node: None, is_over: false, heard: now }
    }

    /// Whether it has been over for so long that nobody keeps anything of it.
    fn is_past(&self, now: Instant, ttl: u64) -> bool {
        self.is_over && now.ms_since(self.heard) > ttl.saturating_mul(2)
    }
}

impl Epochs {
    /// That of this server.
    pub(super) fn own(&mut self, now: Now, random: &mut ChaCha8Rng) -> Epoch {
        *self.own.get_or_insert_with(|| {
            let birth = now.wall.as_ms() / 1_000;
            let epoch = Epoch(birth << 32 | u64::from(random.next_u32()));
            self.known.insert(epoch, Progress::new(now.instant, 0, 0));
            epoch
        })
    }

    /// The next message of this server.
    pub(super) fn next(&mut self, now: Now, random: &mut ChaCha8Rng) -> Offset {
        let epoch = self.own(now, random);
        let progress = self.known.entry(epoch).or_insert_with(|| Progress::new(now.instant, 0, 0));
        progress.number += 1;
        progress.told = progress.number;
        Offset { epoch, number: progress.number }
    }

    /// A message of another node has come. True: some before it have not.
    pub(super) fn heard(&mut self, now: Instant, node: &Node, Offset { epoch, number }: Offset) -> bool {
        if self.own == Some(epoch) {
            return false;
        }
        let before = number.saturating_sub(1);
        let progress = self.known.entry(epoch).or_insert_with(|| Progress::new(now, 0, 0));
        (progress.heard, progress.is_over) = (now, false);
        if progress.node.is_none() {
            progress.node = Some(node.clone());
        }
        let has_gap = before > progress.number;
        if has_gap {
            progress.whole_from = before;
        }
        progress.number = progress.number.max(number);
        progress.told = progress.told.max(number);
        self.forget_past();
        has_gap
    }

    /// A node tells how many messages there are of an epoch, its own with `node`. They may still be on their way.
    pub(super) fn told(&mut self, now: Instant, node: Option<&Node>, offset: Offset) {
        let Offset { epoch, number } = offset;
        if self.own == Some(epoch) {
            return;
        }
        let is_new = !self.known.contains_key(&epoch);
        let progress = self.known.entry(epoch).or_insert_with(|| Progress::new(now, 0, 0));
        match node {
            Some(node) => (progress.node, progress.is_over) = (Some(node.clone()), false),
            // Were it alive, it would tell itself.
            None if is_new => progress.is_over = true,
            None => {}
        }
        if number > progress.told {
            if progress.told == progress.number {
                progress.told_at = now;
            }
            progress.told = number;
        }
        self.forget_past();
    }

    /// What was told of and has not come for so many ms is lost. True: there is such.
    pub(super) fn give_up(&mut self, now: Instant, patience: u64) -> bool {
        let mut has_gap = false;
        for progress in self.known.values_mut() {
            if progress.told > progress.number && now.ms_since(progress.told_at) >= patience {
                (progress.number, progress.whole_from) = (progress.told, progress.told);
                has_gap = true;
            }
        }
        has_gap
    }

    /// A node has left.
    pub(super) fn left(&mut self, now: Instant, node: &Node) {
        for progress in self.known.values_mut().filter(|progress| progress.node.as_ref() == Some(node)) {
            (progress.is_over, progress.heard) = (true, now);
        }
    }

    /// Whether something is known of an epoch.
    pub(super) fn knows(&self, epoch: Epoch) -> bool {
        self.known.contains_key(&epoch)
    }

    /// Whether other nodes have said something.
    pub(super) fn has_others(&self) -> bool {
        self.known.len() > usize::from(self.own.is_some())
    }

    /// How far this server is.
    pub(super) fn position(&self, now: Instant, ttl: u64) -> Position {
        let mut position = Position { numbers: Numbers::default(), horizon: self.horizon };
        for (&epoch, progress) in &self.known {
            match progress.is_past(now, ttl) {
                true => position.horizon = position.horizon.max(epoch.birth()),
                false => position.numbers.raise(Offset { epoch, number: progress.number }),
            }
        }
        position
    }

    /// Older epochs may be left out from now on, as another node does.
    pub(super) fn raise_horizon(&mut self, horizon: u32) {
        self.horizon = horizon.max(self.horizon);
    }

    /// Whether everything behind a position has come, but for what is in `dropped`, and was not yet gone again.
    pub(super) fn is_whole(&self, now: Instant, ttl: u64, from: &Position, dropped: &Numbers) -> bool {
        // Nobody is told a position without the epoch of the server that tells it.
        let is_unknown = |offset: Offset| !self.known.contains_key(&offset.epoch);
        if from.numbers.is_empty() || from.numbers.iter().any(is_unknown) {
            return false;
        }
        self.known.iter().all(|(&epoch, progress)| {
            let number = match from.numbers.get(epoch) {
                Some(number) => number,
                // It was over when that position was told, or was not heard of.
                None if epoch.birth() <= from.horizon => return progress.is_past(now, ttl),
                None => 0,
            };
            let whole_from = match progress.told > progress.number {
                true => progress.told,
                false => progress.whole_from.max(dropped.get(epoch).unwrap_or_default()),
            };
            let is_future = self.own == Some(epoch) && number > progress.number;
            number >= whole_from && !is_future
        })
    }

    fn forget_past(&mut self) {
        while self.known.len() > MOST {
            let others = self.known.iter().filter(|(epoch, _)| Some(**epoch) != self.own);
            let first = others.min_by_key(|(epoch, progress)| (!progress.is_over, progress.heard, **epoch));
            let Some(epoch) = first.map(|(epoch, _)| *epoch) else { return };
            self.known.remove(&epoch);
            self.horizon = self.horizon.max(epoch.birth());
        }
    }
}
