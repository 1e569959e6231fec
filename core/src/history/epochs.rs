//! What is known of each server that says something: how much it has said, and from where on all of it has come.

pub(super) mod kept;

use std::collections::{BTreeMap, BTreeSet};

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
    /// When the youngest of those was born that were forgotten and of which this server knows nothing itself.
    unknown_until: u32,
    /// Of these the broker keeps nothing any more, and nobody has told how far they are.
    doubted: BTreeSet<Epoch>,
}

/// What a message is that has come from another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was given up before, or is one that has come.
    Late,
    /// It is the next one.
    Next {
        /// Up to this one, messages before it have not come.
        lost: Option<Offset>,
        /// The broker has kept it, and what it keeps was read first.
        is_known: bool,
    },
}

/// How far an epoch is.
#[derive(Debug)]
struct Progress {
    /// The number of the latest message that has come.
    number: u64,
    /// All messages behind this one, up to `number` or `kept`, have come or were read from what the broker keeps.
    whole_from: u64,
    /// The latest one that was read from what the broker keeps, if it is behind `number`; otherwise 0.
    kept: u64,
    /// The highest number that a node has told of.
    told: u64,
    /// Since when that is higher than what has come.
    told_at: Instant,
    /// Whose epoch it is, if that node was heard itself.
    node: Option<Node>,
    /// Whether that node has left, as far as is known.
    is_over: bool,
    /// Whether nothing but what the broker keeps has told of it.
    is_read: bool,
    /// Whether its end was read.
    is_end_known: bool,
    heard: Instant,
}

impl Progress {
    fn new(now: Instant, number: u64, whole_from: u64) -> Self {
        Self {
            number,
            whole_from,
            kept: 0,
            told: number,
            told_at: now,
            node: None,
            is_over: false,
            is_read: false,
            is_end_known: false,
            heard: now,
        }
    }

    /// The latest one that has come or was read.
    fn reached(&self) -> u64 {
        self.number.max(self.kept)
    }

    /// There are so many messages, which may still be on their way.
    fn expect(&mut self, now: Instant, number: u64) {
        if number > self.told {
            if self.told == self.number {
                self.told_at = now;
            }
            self.told = number;
        }
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

    /// A message of another node has come.
    pub(super) fn heard(&mut self, now: Instant, node: &Node, Offset { epoch, number }: Offset) -> Heard {
        if self.own == Some(epoch) {
            return Heard::Late;
        }
        self.doubted.remove(&epoch);
        let before = number.saturating_sub(1);
        let progress = self.known.entry(epoch).or_insert_with(|| Progress::new(now, 0, 0));
        progress.heard = now;
        (progress.is_over, progress.is_read, progress.is_end_known) = (false, false, false);
        if progress.node.is_none() {
            progress.node = Some(node.clone());
        }
        if number <= progress.number {
            return Heard::Late;
        }
        let lost = (before > progress.number).then_some(Offset { epoch, number: before });
        let is_known = number > progress.whole_from && number <= progress.kept;
        if before > progress.reached() {
            progress.whole_from = before;
        }
        progress.number = number;
        progress.told = progress.told.max(number);
        if progress.kept <= number {
            progress.kept = 0;
        }
        self.forget_past();
        Heard::Next { lost, is_known }
    }

    /// A node tells how many messages there are of an epoch, its own with `node`. They may still be on their way.
    pub(super) fn told(&mut self, now: Instant, node: Option<&Node>, offset: Offset) {
        let Offset { epoch, number } = offset;
        if self.own == Some(epoch) {
            return;
        }
        let is_new = !self.known.contains_key(&epoch);
        if node.is_some() {
            self.doubted.remove(&epoch);
        }
        let progress = self.known.entry(epoch).or_insert_with(|| Progress::new(now, 0, 0));
        match node {
            Some(node) => {
                progress.node = Some(node.clone());
                (progress.is_over, progress.is_read) = (false, false);
            }
            // Were it alive, it would tell itself.
            None if is_new => progress.is_over = true,
            None => {}
        }
        progress.expect(now, number);
        self.forget_past();
    }

    /// What was told of and has not come for so many ms is lost to those who are here; gives the last of it. The broker may
    /// have kept it.
    pub(super) fn give_up(&mut self, now: Instant, patience: u64) -> Numbers {
        let mut lost = Numbers::default();
        for (&epoch, progress) in &mut self.known {
            if progress.told > progress.number && now.ms_since(progress.told_at) >= patience {
                if progress.told > progress.reached() {
                    progress.whole_from = progress.told;
                }
                (progress.number, progress.kept) = (progress.told, 0);
                lost.raise(Offset { epoch, number: progress.told });
            }
        }
        lost
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

    /// How far this server is: what has come.
    pub(super) fn position(&self, now: Instant, ttl: u64) -> Position {
        self.position_of(now, ttl, |progress| progress.number)
    }

    /// How far it is with what it has read.
    pub(super) fn reached(&self, now: Instant, ttl: u64) -> Position {
        self.position_of(now, ttl, Progress::reached)
    }

    fn position_of(&self, now: Instant, ttl: u64, number: impl Fn(&Progress) -> u64) -> Position {
        let doubted = self.doubted.iter().map(|epoch| epoch.birth());
        let horizon = doubted.fold(self.horizon, u32::max);
        let mut position = Position { numbers: Numbers::default(), horizon };
        for (&epoch, progress) in &self.known {
            match progress.is_past(now, ttl) {
                true => position.horizon = position.horizon.max(epoch.birth()),
                false => position.numbers.raise(Offset { epoch, number: number(progress) }),
            }
        }
        position
    }

    /// Older epochs may be left out from now on, as another node does.
    pub(super) fn raise_horizon(&mut self, horizon: u32) {
        let is_older = self.own.is_none_or(|own| own.birth() >= horizon);
        if is_older && !self.known.keys().any(|epoch| epoch.birth() == horizon) {
            self.unknown_until = horizon.max(self.unknown_until);
        }
        self.horizon = horizon.max(self.horizon);
    }

    /// Whether everything behind a position has come, but for what is in `dropped`, and was not yet gone again.
    pub(super) fn is_whole(&self, now: Instant, ttl: u64, from: &Position, dropped: &Numbers) -> bool {
        // Something may have been said in an epoch that nobody knows any more.
        let is_left_out = |epoch: &Epoch| epoch.birth() > from.horizon;
        if self.unknown_until > from.horizon || self.doubted.iter().any(is_left_out) {
            return false;
        }
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
            let reached = progress.reached();
            let whole_from = match progress.told > reached {
                true => progress.told,
                false => progress.whole_from.max(dropped.get(epoch).unwrap_or_default()),
            };
            // The broker has forgotten the end, perhaps that of others as well.
            let is_cut_off = progress.is_read && number > reached;
            let is_future = self.own == Some(epoch) && number > progress.number;
            number >= whole_from && !is_future && !is_cut_off
        })
    }

    fn forget_past(&mut self) {
        while self.known.len() > MOST {
            let others = self.known.iter().filter(|(epoch, _)| Some(**epoch) != self.own);
            let first = others.min_by_key(|(epoch, progress)| (!progress.is_over, progress.heard, **epoch));
            let Some(epoch) = first.map(|(epoch, _)| *epoch) else { return };
            self.known.remove(&epoch);
            self.horizon = self.horizon.max(epoch.birth());
            self.unknown_until = self.unknown_until.max(epoch.birth());
        }
    }
}
