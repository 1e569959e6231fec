//! What is known of epochs by what the broker keeps of them.

use std::collections::BTreeMap;

use super::{Epochs, MOST, Progress};
use crate::cluster::Node;
use crate::history::position::{Epoch, Offset};
use crate::time::Instant;

/// The messages without a gap that were read last of each epoch: the first, and the last one.
#[derive(Debug, Default)]
pub(in crate::history) struct Runs(BTreeMap<Epoch, (u64, u64)>);

impl Runs {
    /// Whether a message of it was read.
    pub(in crate::history) fn has(&self, epoch: Epoch) -> bool {
        self.0.contains_key(&epoch)
    }
}

impl Epochs {
    /// The broker has kept a message; messages are told in its order. True: it has not come, so it is new to the history.
    pub(in crate::history) fn read(
        &mut self,
        now: Instant,
        node: &Node,
        offset: Offset,
        runs: &mut Runs,
    ) -> bool {
        let Offset { epoch, number } = offset;
        if self.own == Some(epoch) || number == 0 {
            return false;
        }
        let before = number - 1;
        let progress = self.known.entry(epoch).or_insert_with(|| Progress::read(now, before));
        if progress.node.is_none() {
            progress.node = Some(node.clone());
        }
        let (first, last) = runs.0.entry(epoch).or_insert((number, before));
        if *last != before {
            *first = number;
        }
        *last = number;
        let reached = progress.reached();
        let is_new = number <= progress.whole_from || number > reached;
        if number > reached {
            if before > reached {
                progress.whole_from = before;
            }
            progress.kept = number;
            progress.expect(now, number);
        }
        // What was missing before is there.
        if *last >= progress.whole_from {
            progress.whole_from = progress.whole_from.min(*first - 1);
        }
        progress.is_end_known = progress.is_over;
        self.doubted.remove(&epoch);
        self.forget_past();
        is_new
    }

    /// So many messages were said in an epoch, which the broker no longer keeps if they were not read before.
    pub(in crate::history) fn noted(&mut self, now: Instant, offset: Offset) {
        let Offset { epoch, number } = offset;
        if self.own == Some(epoch) {
            return;
        }
        let progress = self.known.entry(epoch).or_insert_with(|| Progress::read(now, 0));
        if number > progress.reached() {
            (progress.whole_from, progress.kept) = (number, number);
            progress.expect(now, number);
        }
        self.forget_past();
    }

    /// Something was said in an epoch of which the broker has nothing; its node may tell how much. `is_first`: other nodes may
    /// have said something without this one. True: something of it may be lost.
    pub(in crate::history) fn doubt(&mut self, epoch: Epoch, is_first: bool) -> bool {
        let is_known = |known: &Progress| known.is_end_known || !(is_first || known.is_over);
        if self.own == Some(epoch) || self.known.get(&epoch).is_some_and(is_known) {
            return false;
        }
        let is_new = self.doubted.insert(epoch);
        if self.doubted.len() > MOST
            && let Some(first) = self.doubted.pop_first()
        {
            self.horizon = self.horizon.max(first.birth());
            self.unknown_until = self.unknown_until.max(first.birth());
        }
        is_new
    }
}

impl Progress {
    /// An epoch of which nobody but the broker tells.
    fn read(now: Instant, whole_from: u64) -> Self {
        let number = 0;
        Self { is_over: true, is_read: true, ..Self::new(now, number, whole_from) }
    }
}
