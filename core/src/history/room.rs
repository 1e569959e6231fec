//! The latest messages of one room.

use std::collections::VecDeque;
use std::sync::Arc;

use super::HistorySettings;
use crate::message::Message;
use crate::time::Instant;

/// What a message costs beside its payload, in bytes.
const COST: usize = 128;

/// A message that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) number: u64,
    pub(super) message: Message,
    /// All rooms that it went to.
    pub(super) rooms: Arc<[Arc<str>]>,
    at: Instant,
}

#[derive(Debug)]
pub(super) struct Room {
    messages: VecDeque<Kept>,
    /// Of their payloads.
    bytes: usize,
    /// The number of its first message since it is known.
    first: u64,
    /// The number of the latest message.
    latest: u64,
    /// The number of the latest message that is no longer kept.
    dropped: u64,
}

impl Room {
    /// A room whose first message will have this number.
    pub(super) fn new(first: u64) -> Self {
        Self { messages: VecDeque::new(), bytes: 0, first, latest: first, dropped: 0 }
    }

    /// The number of the latest message.
    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// The bytes that what is kept takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.messages.len() * COST
    }

    pub(super) fn push(
        &mut self,
        now: Instant,
        number: u64,
        message: Message,
        rooms: Arc<[Arc<str>]>,
        settings: &HistorySettings,
    ) {
        self.bytes += message.len();
        self.latest = number;
        self.messages.push_back(Kept { number, message, rooms, at: now });
        self.drop_old(now, settings);
    }

    /// What came after this number, if all of it is kept. `forgotten`: up to which number the room may have been forgotten
    /// before.
    pub(super) fn after(
        &mut self,
        now: Instant,
        number: u64,
        forgotten: u64,
        settings: &HistorySettings,
    ) -> Option<Vec<Kept>> {
        self.drop_old(now, settings);
        let was_forgotten = number < self.first && number < forgotten;
        if was_forgotten || number < self.dropped {
            return None;
        }
        Some(self.messages.iter().filter(|kept| kept.number > number).cloned().collect())
    }

    fn drop_old(&mut self, now: Instant, settings: &HistorySettings) {
        let HistorySettings { size, ttl, max_bytes } = *settings;
        while let Some(oldest) = self.messages.front()
            && (self.messages.len() > size || self.bytes > max_bytes || now.ms_since(oldest.at) > ttl)
        {
            self.bytes -= oldest.message.len();
            self.dropped = oldest.number;
            self.messages.pop_front();
        }
    }
}
