//! One connection that the engine opened, with what waits on it in either direction.

use std::collections::VecDeque;
use std::time::Duration;

use crate::interface::connection_id::ConnectionId;
use crate::interface::upstream::{Dial, UpstreamEvent};
use crate::state::Owner;
use crate::time::{Instant, Now};

/// What a message counts in addition to its bytes: empty ones need memory too.
const OVERHEAD: usize = 64;

/// How many events may wait for their owner before the host stops reading.
const MAX_WAITING: usize = 256;

/// How many bytes of messages may wait for their owner before the host stops reading.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// How far an outgoing connection has come.
///
/// ```text
/// Dialling ─▶ Open ─▶ Ended ─▶ forgotten      (the other side closed or broke; the owner is told in its turn)
///     │         └───▶ Closing ─▶ forgotten    (the owner closed; the host writes what is queued)
///     └───────────────────────▶ forgotten     (terminated)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The host has not reported how the opening handshake went.
    Dialling,
    /// Messages flow.
    Open,
    /// The owner has closed it; only its end is still listened to.
    Closing {
        /// When the other side is given up, however steadily it takes what was sent before.
        latest: Instant,
    },
    /// Its transport is gone, and its owner has not been told yet.
    Ended,
}

/// What is known of one outgoing connection.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) owner: Owner<ConnectionId>,
    pub(crate) phase: Phase,
    /// How long the opening handshake may take.
    pub(crate) timeout: Duration,
    /// How long the other side may take none of the messages that wait for it.
    pub(crate) send_timeout: Duration,
    max_queued: usize,
    /// The size of each message that was sent and not taken yet.
    queued: VecDeque<usize>,
    queued_bytes: usize,
    /// When one of them has to be taken at the latest.
    deadline: Instant,
    /// Its owner's inbox waits for it.
    pub(super) is_holding: bool,
    /// The host was told not to read it.
    pub(super) is_paused: bool,
    /// What came and its owner was not told yet.
    waiting: VecDeque<UpstreamEvent>,
    waiting_bytes: usize,
}

impl Upstream {
    /// One that is being dialled.
    pub(super) fn new(owner: Owner<ConnectionId>, dial: &Dial, now: Now) -> Self {
        Self {
            owner,
            phase: Phase::Dialling,
            timeout: dial.timeout,
            send_timeout: dial.send_timeout,
            max_queued: dial.max_queued,
            queued: VecDeque::new(),
            queued_bytes: 0,
            deadline: now.instant,
            is_holding: false,
            is_paused: false,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// Counts a message of so many bytes that is being sent.
    pub(super) fn push_queued(&mut self, bytes: usize, now: Now) {
        if self.queued.is_empty() {
            self.restart_deadline(now);
        }
        self.queued.push_back(bytes + OVERHEAD);
        self.queued_bytes += bytes + OVERHEAD;
    }

    /// The other side has taken so many of the messages that were sent; how many bytes they had.
    pub(super) fn took(&mut self, messages: usize, now: Now) -> u64 {
        self.restart_deadline(now);
        let mut taken = 0;
        for size in self.queued.drain(..messages.min(self.queued.len())) {
            self.queued_bytes -= size;
            taken += (size - OVERHEAD) as u64;
        }
        taken
    }

    /// Forgets what was sent and will not be taken any more.
    pub(super) fn clear_queued(&mut self) {
        (self.queued, self.queued_bytes) = (VecDeque::new(), 0);
    }

    /// Bytes that were sent and not taken yet.
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Whether so much is queued that the owner should send no more.
    pub(super) fn is_full(&self) -> bool {
        self.queued_bytes >= self.max_queued
    }

    /// Whether so much is queued that a message is dropped.
    pub(super) fn is_overfull(&self) -> bool {
        self.queued_bytes >= self.max_queued.saturating_mul(2)
    }

    /// Whether the owner may go on sending after it was full.
    pub(super) fn is_drained(&self) -> bool {
        self.queued_bytes <= self.max_queued / 2
    }

    /// Gives the other side the whole [`send_timeout`](Self::send_timeout) anew.
    pub(super) fn restart_deadline(&mut self, now: Now) {
        self.deadline = now.instant + self.send_timeout;
    }

    /// When one of the queued messages has to be taken at the latest; `None` while nothing is queued, or while the other
    /// side may be waiting for us.
    pub(crate) fn send_deadline(&self) -> Option<Instant> {
        (!self.queued.is_empty() && !self.is_paused).then_some(self.deadline)
    }

    /// Keeps an event until its owner can be told.
    pub(crate) fn push_waiting(&mut self, event: UpstreamEvent) {
        self.waiting_bytes += size(&event);
        self.waiting.push_back(event);
    }

    /// The next event for the owner.
    pub(super) fn pop_waiting(&mut self) -> Option<UpstreamEvent> {
        let event = self.waiting.pop_front()?;
        self.waiting_bytes -= size(&event);
        Some(event)
    }

    /// Forgets what the owner does not want to be told any more.
    pub(super) fn clear_waiting(&mut self) {
        (self.waiting, self.waiting_bytes) = (VecDeque::new(), 0);
    }

    /// Whether the owner has not been told of everything.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Bytes that came and wait for the owner.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Whether so much waits for the owner that nothing more should be read.
    pub(crate) fn is_behind(&self) -> bool {
        self.waiting.len() >= MAX_WAITING || self.waiting_bytes >= MAX_WAITING_BYTES
    }

    /// Whether reading may go on as far as it depends on what waits.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() <= MAX_WAITING / 2 && self.waiting_bytes <= MAX_WAITING_BYTES / 2
    }
}

fn size(event: &UpstreamEvent) -> usize {
    match event {
        UpstreamEvent::Message(message) => message.len() + OVERHEAD,
        _ => OVERHEAD,
    }
}
