//! The latest messages of one room.

use std::collections::VecDeque;
use std::sync::Arc;

use super::HistorySettings;
use super::position::{Epoch, Numbers, Offset};
use crate::message::Message;
use crate::time::Instant;

/// What a message costs beside its payload, in bytes.
const COST: usize = 128;

/// What an epoch costs of which messages are no longer kept, in bytes.
const EPOCH_COST: usize = 32;

/// A message that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) offset: Offset,
    pub(super) message: Message,
    /// All rooms that it went to.
    pub(super) rooms: Arc<[Arc<str>]>,
    /// How long it is kept.
    pub(super) until: Instant,
}

#[derive(Debug)]
pub(super) struct Room {
    messages: VecDeque<Kept>,
    /// Of their payloads.
    bytes: usize,
    /// Of the room's name, and of those of the rooms that they went to.
    names: usize,
    /// When something was said there last: counts what is said on the route.
    latest: u64,
    /// The latest messages that are no longer kept.
    dropped: Numbers,
}

impl Room {
    /// A room of which these messages may have been forgotten before.
    pub(super) fn new(name: &str, forgotten: Numbers) -> Self {
        Self { messages: VecDeque::new(), bytes: 0, names: COST + name.len(), latest: 0, dropped: forgotten }
    }

    /// When something was said there last.
    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// The bytes that what is kept takes, and what is known of the rest.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.names + self.messages.len() * COST + self.dropped.epochs() * EPOCH_COST
    }

    /// Forgets which messages of other epochs are no longer kept. They have to be unknown: nobody can go on from there.
    pub(super) fn retain_dropped(&mut self, is_known: impl Fn(Epoch) -> bool) {
        self.dropped.retain(|offset| is_known(offset.epoch));
    }

    /// The latest messages that are no longer kept.
    pub(super) fn dropped(&self) -> &Numbers {
        &self.dropped
    }

    /// Forgets everything; gives the latest messages that were there.
    pub(super) fn into_dropped(mut self) -> Numbers {
        self.messages.iter().for_each(|kept| self.dropped.raise(kept.offset));
        self.dropped
    }

    /// Keeps a message, the `latest`th that was said on the route.
    pub(super) fn push(
        &mut self,
        now: Instant,
        latest: u64,
        (offset, message): (Offset, Message),
        rooms: Arc<[Arc<str>]>,
        settings: &HistorySettings,
    ) {
        self.bytes += message.len();
        self.names += names(&rooms);
        self.latest = latest;
        self.messages.push_back(Kept { offset, message, rooms, until: now + settings.ttl });
        self.drop_old(now, settings);
    }

    /// Keeps a message that was said before others, the `latest`th that has come on the route, unless it is there.
    pub(super) fn insert(&mut self, now: Instant, latest: u64, mut kept: Kept, settings: &HistorySettings) {
        let Offset { epoch, number } = kept.offset;
        if self.dropped.has(kept.offset) {
            return;
        }
        // The messages of each epoch stay in their order, and all of them nearly in that of their age.
        let (mut from, mut to) = (0, self.messages.len());
        for (index, known) in
            self.messages.iter().enumerate().filter(|(_, known)| known.offset.epoch == epoch)
        {
            match known.offset.number {
                same if same == number => return,
                earlier if earlier < number => from = index + 1,
                _ => {
                    to = index;
                    break;
                }
            }
        }
        let between = self.messages.range(from..to);
        let at = from + between.take_while(|known| known.until <= kept.until).count();
        if let Some(next) = self.messages.get(at) {
            kept.until = kept.until.min(next.until);
        }
        self.bytes += kept.message.len();
        self.names += names(&kept.rooms);
        self.latest = latest;
        self.messages.insert(at, kept);
        self.drop_old(now, settings);
    }

    /// What is kept of what came after these messages.
    pub(super) fn after(&self, from: &Numbers) -> impl Iterator<Item = &Kept> {
        self.messages.iter().filter(|kept| !from.has(kept.offset))
    }

    /// Drops what is too old or too much.
    pub(super) fn drop_old(&mut self, now: Instant, settings: &HistorySettings) {
        let HistorySettings { size, max_bytes, .. } = *settings;
        while let Some(oldest) = self.messages.front()
            && (self.messages.len() > size || self.bytes > max_bytes || now > oldest.until)
        {
            self.bytes -= oldest.message.len();
            self.names -= names(&oldest.rooms);
            self.dropped.raise(oldest.offset);
            self.messages.pop_front();
        }
    }
}

/// What the names of rooms cost, in bytes.
fn names(rooms: &[Arc<str>]) -> usize {
    rooms.iter().map(|name| size_of::<Arc<str>>() + name.len()).sum()
}
