//! What one connection has sent and its handler has not taken yet, in strict order.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::message::Message;
use crate::protocol::Violation;
use crate::time::Instant;

/// One entry for the handler.
#[derive(Debug)]
pub(crate) enum Inbound {
    Connect,
    /// The connect failed: close, once `error` has been told.
    Fail,
    Message(Message),
    Ping(Bytes),
    Pong(Bytes),
    /// The peer broke the protocol after the entries before this one.
    Violation(Violation),
    Close,
}

/// The queue of a handler, and whether the handler is busy.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Boxed, as for most connections nothing waits most of the time.
    waiting: Option<Box<Waiting>>,
    /// Hooks whose answers are awaited; nothing is taken from the queue meanwhile.
    pub(crate) calls: u32,
    /// Outgoing connections that are not open yet or take no more, and answers that the host has not queued yet; nothing is
    /// taken from the queue meanwhile.
    pub(crate) holds: u8,
    /// Why the host was told to stop reading.
    pub(crate) pause: Pause,
    /// What waits for the client has reached its bound, and the policy is to wait.
    pub(crate) is_outbox_full: bool,
}

/// The two reasons to stop reading from a client; reading goes on when there is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pause {
    /// Its handler is far behind.
    pub(crate) inbox: bool,
    /// It reads too slowly, and most likely its own messages are what fills its outbox.
    pub(crate) outbox: bool,
}

impl Pause {
    /// Whether the host was told to stop reading.
    pub(crate) fn is_on(self) -> bool {
        self.inbox || self.outbox
    }
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<(Instant, Inbound)>,
    bytes: usize,
}

impl Inbox {
    /// From so many bytes of messages on reading pauses. What the reader decodes with one budget may still come, and as
    /// much may wait undecoded: together a MiB, or one message more where that is larger.
    const MAX_BYTES: usize = 512 * 1024;

    /// Adds an entry that may be handled from `ready` on.
    pub(crate) fn push(&mut self, ready: Instant, inbound: Inbound) {
        let waiting = self.waiting.get_or_insert_default();
        waiting.bytes += size(&inbound);
        waiting.queue.push_back((ready, inbound));
    }

    /// Adds an entry before all others.
    pub(crate) fn push_front(&mut self, ready: Instant, inbound: Inbound) {
        let waiting = self.waiting.get_or_insert_default();
        waiting.bytes += size(&inbound);
        waiting.queue.push_front((ready, inbound));
    }

    /// When the front entry may be handled; `None` when there is none or nothing is to be taken.
    pub(crate) fn ready(&self) -> Option<Instant> {
        if self.is_held() {
            return None;
        }
        self.waiting.as_ref()?.queue.front().map(|(ready, _)| *ready)
    }

    /// Takes the front entry.
    pub(crate) fn pop(&mut self) -> Option<Inbound> {
        let waiting = self.waiting.as_mut()?;
        let (_, inbound) = waiting.queue.pop_front()?;
        waiting.bytes -= size(&inbound);
        if waiting.queue.is_empty() {
            self.waiting = None;
        }
        Some(inbound)
    }

    /// How many bytes of messages wait.
    pub(crate) fn bytes(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.bytes)
    }

    /// Drops what waits, as it will not be handled.
    pub(crate) fn clear(&mut self) {
        self.waiting = None;
    }

    /// Whether nothing waits, and the next entry can be handled at once.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_none() && !self.is_held()
    }

    /// Whether nothing is to be taken from the queue. What is in it would fill an outbox that is full already.
    fn is_held(&self) -> bool {
        self.calls > 0 || self.holds > 0 || self.pause.outbox
    }

    /// Whether reading should pause: `limit` entries wait, or half a MiB.
    pub(crate) fn is_full(&self, limit: usize) -> bool {
        self.waiting
            .as_ref()
            .is_some_and(|waiting| waiting.queue.len() >= limit.max(1) || waiting.bytes >= Self::MAX_BYTES)
    }

    /// Whether reading may go on after a pause.
    pub(crate) fn has_room(&self, limit: usize) -> bool {
        self.waiting
            .as_ref()
            .is_none_or(|waiting| waiting.queue.len() <= limit / 2 && waiting.bytes <= Self::MAX_BYTES / 2)
    }
}

fn size(inbound: &Inbound) -> usize {
    match inbound {
        Inbound::Message(message) => message.len(),
        Inbound::Ping(payload) | Inbound::Pong(payload) => payload.len(),
        Inbound::Connect | Inbound::Fail | Inbound::Violation(_) | Inbound::Close => 0,
    }
}
