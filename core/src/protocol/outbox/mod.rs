//! Frames that wait for the socket, bounded in bytes.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// How much may wait, and what happens when more comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxOptions {
    /// Once this many bytes wait, the overflow policy applies to further messages. Default 1 MiB.
    /// The size of the message itself does not count: a large one can always be sent while less than this waits.
    pub max_bytes: usize,
    /// What happens to further messages. Default [`Overflow::Close`].
    pub overflow: Overflow,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self { max_bytes: 1024 * 1024, overflow: Overflow::Close }
    }
}

/// What happens to messages for a client that reads too slowly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The connection is closed with 1013.
    #[default]
    Close,
    /// The oldest waiting messages make room for the new one.
    DropOldest,
    /// The host stops reading from this client until it has read; up to twice the limit may wait meanwhile.
    Pause,
}

/// What happened to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits for the socket.
    Queued,
    /// So many messages were dropped: with [`Overflow::DropOldest`] waiting ones, and this one is queued;
    /// otherwise this one, because the close frame is queued already or the pause was overrun.
    Dropped(usize),
    /// The bound is reached. With [`Overflow::Close`] it was before, the message is not queued and the connection is to be
    /// closed with 1013. With [`Overflow::Pause`] the message is queued, and whatever sends more is to wait.
    Full,
}

impl Pushed {
    /// What happened to two messages, one after another.
    pub(super) fn and(self, next: Self) -> Self {
        match (self, next) {
            (Pushed::Full, _) | (_, Pushed::Full) => Pushed::Full,
            (Pushed::Dropped(first), Pushed::Dropped(second)) => Pushed::Dropped(first + second),
            (Pushed::Dropped(dropped), _) | (_, Pushed::Dropped(dropped)) => Pushed::Dropped(dropped),
            (Pushed::Queued, Pushed::Queued) => Pushed::Queued,
        }
    }
}

/// The kind of a queued frame, as far as the queue treats it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message: may be dropped by [`Overflow::DropOldest`].
    Message,
    /// A pong: a later one may take its place.
    Pong,
    /// A ping or close frame: stays.
    Control,
}

/// Whether a message may enter, asked before the work of encoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may: encode and queue it, with this result.
    Admitted(Pushed),
    /// It may not, with this result.
    Refused(Pushed),
}

/// The frames of one connection that its socket has not taken yet, in order.
#[derive(Debug)]
pub struct Outbox {
    options: OutboxOptions,
    frames: VecDeque<(Bytes, Kind)>,
    queued_bytes: usize,
    /// The first frame was written in part: it must go out as a whole.
    is_head_partial: bool,
    /// So many frames from the front are being written,
    lent: usize,
    /// which are so many bytes.
    lent_bytes: usize,
    /// The latest pong's position in the queue.
    pong: Option<usize>,
    is_blocked: bool,
    /// Messages that were dropped since [`take_dropped`](Self::take_dropped).
    dropped: usize,
    /// Messages that were dropped before that.
    dropped_before: u64,
    /// The bytes of all frames that were queued and not dropped or replaced.
    pushed_bytes: u64,
    /// A message was refused, so no later one may follow: what a client gets before 1013 has no gap.
    is_given_up: bool,
}

impl Outbox {
    pub(super) fn new(options: OutboxOptions) -> Self {
        Self {
            options,
            frames: VecDeque::new(),
            queued_bytes: 0,
            is_head_partial: false,
            lent: 0,
            lent_bytes: 0,
            pong: None,
            is_blocked: false,
            dropped: 0,
            dropped_before: 0,
            pushed_bytes: 0,
            is_given_up: false,
        }
    }

    /// Takes note of how many bytes, from the front, the socket has taken.
    pub fn advance(&mut self, written: usize) {
        let mut written = written.min(self.queued_bytes);
        self.queued_bytes -= written;
        while let Some((frame, _)) = self.frames.front_mut() {
            if written < frame.len() {
                frame.advance(written);
                self.is_head_partial |= written > 0;
                return;
            }
            written -= frame.len();
            self.remove_first();
        }
    }

    /// Moves up to `count` frames, in order, to a write that ends later; of one written in part, the rest. They do not
    /// count against the bound until [`give_back`](Self::give_back), which has to follow before anything else is
    /// written.
    pub fn lend(&mut self, count: usize, to: &mut Vec<Bytes>) {
        self.lent = count.min(self.frames.len());
        let begin = to.len();
        to.extend(self.frames.iter_mut().take(self.lent).map(|(frame, _)| std::mem::take(frame)));
        self.lent_bytes = to[begin..].iter().map(Bytes::len).sum();
    }

    /// The write has ended: these are the frames that were lent, which are left empty, and the socket has taken so many
    /// bytes.
    pub fn give_back(&mut self, frames: &mut [Bytes], written: usize) {
        let (lent, lent_bytes) = (std::mem::take(&mut self.lent), std::mem::take(&mut self.lent_bytes));
        if written < lent_bytes {
            for ((frame, _), lent) in self.frames.iter_mut().zip(frames) {
                *frame = std::mem::take(lent);
            }
            return self.advance(written);
        }
        self.queued_bytes -= lent_bytes;
        for _ in 0..lent {
            self.remove_first();
        }
    }

    /// The first piece, or what is left of it.
    pub fn first(&self) -> Option<&Bytes> {
        self.frames.front().map(|(frame, _)| frame)
    }

    /// Takes out the first piece: a frame, what is left of one, its header or its payload, or several frames.
    pub fn pop(&mut self) -> Option<Bytes> {
        let frame = self.remove_first()?;
        self.queued_bytes -= frame.len();
        Some(frame)
    }

    /// Says whether the socket took less than there was. While it is blocked a pong that waits is replaced by the next
    /// (RFC 6455 section 5.5.3); otherwise every ping gets its own.
    pub fn set_blocked(&mut self, blocked: bool) {
        self.is_blocked = blocked;
    }

    /// Whether the socket was last seen blocked.
    pub fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How many bytes wait.
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// How many pieces wait: a burst is one, a large frame two.
    pub fn queued_pieces(&self) -> usize {
        self.frames.len()
    }

    /// How many messages were dropped since the last call because the client reads too slowly. Those for a connection
    /// that is to be closed, after [`Pushed::Full`] or behind the close frame, do not count.
    pub fn take_dropped(&mut self) -> usize {
        self.dropped_before += self.dropped as u64;
        std::mem::take(&mut self.dropped)
    }

    /// How many messages were dropped since the connection opened because the client reads too slowly.
    pub fn dropped_messages(&self) -> u64 {
        self.dropped_before + self.dropped as u64
    }

    /// The bytes of frames that were given to the socket.
    pub(super) fn wire_bytes(&self) -> u64 {
        self.pushed_bytes - self.queued_bytes as u64
    }

    /// The bound, in bytes.
    pub fn max_bytes(&self) -> usize {
        self.options.max_bytes
    }

    /// Whether the bound is reached. A paused host reads again when it no longer is.
    pub fn is_full(&self) -> bool {
        self.waiting_bytes() >= self.options.max_bytes
    }

    /// What waits, in order.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        self.frames.iter().map(|(frame, _)| &frame[..])
    }

    /// Fills `slices` from the front for a vectored write; how many were filled.
    pub fn fill<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slice, chunk) in slices.iter_mut().zip(self.chunks()) {
            *slice = IoSlice::new(chunk);
            filled += 1;
        }
        filled
    }

    /// Whether so many bytes more stay within the bound.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        !self.is_given_up && self.waiting_bytes() + bytes <= self.options.max_bytes
    }

    /// The overflow policy.
    pub(super) fn overflow(&self) -> Overflow {
        self.options.overflow
    }

    /// Decides about one more message by what waits already, and makes room if that is the policy.
    pub(super) fn admit(&mut self) -> Admission {
        if self.is_given_up {
            return Admission::Refused(Pushed::Dropped(1));
        }
        if !self.is_full() {
            return Admission::Admitted(Pushed::Queued);
        }
        match self.options.overflow {
            Overflow::Close => {
                self.is_given_up = true;
                Admission::Refused(Pushed::Full)
            }
            Overflow::DropOldest => match self.drop_oldest() {
                0 => Admission::Admitted(Pushed::Queued),
                dropped => {
                    self.dropped += dropped;
                    Admission::Admitted(Pushed::Dropped(dropped))
                }
            },
            Overflow::Pause if self.waiting_bytes() >= self.options.max_bytes.saturating_mul(2) => {
                self.dropped += 1;
                Admission::Refused(Pushed::Dropped(1))
            }
            Overflow::Pause => Admission::Admitted(Pushed::Queued),
        }
    }

    /// What became of a message that was admitted and pushed. Whoever is to wait is told as soon as the bound is reached:
    /// after a message of more than twice the bound there would be no room for another.
    pub(super) fn conclude(&self, pushed: Pushed) -> Pushed {
        match self.options.overflow {
            Overflow::Pause if self.is_full() => Pushed::Full,
            _ => pushed,
        }
    }

    /// Appends a frame. Pongs of a blocked socket take the place of one that waits.
    pub(super) fn push(&mut self, frame: Bytes, kind: Kind) {
        if kind == Kind::Pong {
            let length = frame.len();
            if let Some(waiting) = self.replaceable_pong() {
                let replaced = std::mem::replace(waiting, frame);
                self.queued_bytes = self.queued_bytes + length - replaced.len();
                self.pushed_bytes = self.pushed_bytes + length as u64 - replaced.len() as u64;
                return;
            }
            self.pong = Some(self.frames.len());
        }
        self.queued_bytes += frame.len();
        self.pushed_bytes += frame.len() as u64;
        // Most often a frame waits alone, and idle connections keep what they needed for it.
        if self.frames.capacity() == 0 {
            self.frames.reserve_exact(1);
        }
        self.frames.push_back((frame, kind));
    }

    fn replaceable_pong(&mut self) -> Option<&mut Bytes> {
        let index = self.pong?;
        if index < self.fixed() || !(self.is_blocked || self.is_full()) {
            return None;
        }
        self.frames.get_mut(index).map(|(frame, _)| frame)
    }

    /// Drops waiting messages from the front until less than the bound waits; how many.
    fn drop_oldest(&mut self) -> usize {
        let mut dropped = 0;
        let mut index = self.fixed();
        while self.is_full() && index < self.frames.len() {
            if self.frames[index].1 != Kind::Message {
                index += 1;
                continue;
            }
            if let Some((frame, _)) = self.frames.remove(index) {
                self.queued_bytes -= frame.len();
                self.pushed_bytes -= frame.len() as u64;
                dropped += 1;
            }
            self.pong = self.pong.map(|pong| if pong > index { pong - 1 } else { pong });
        }
        dropped
    }

    /// What counts against the bound.
    fn waiting_bytes(&self) -> usize {
        self.queued_bytes - self.lent_bytes
    }

    /// How many frames from the front can be neither dropped nor replaced.
    fn fixed(&self) -> usize {
        self.lent.max(usize::from(self.is_head_partial))
    }

    fn remove_first(&mut self) -> Option<Bytes> {
        let (frame, _) = self.frames.pop_front()?;
        self.is_head_partial = false;
        self.pong = self.pong.and_then(|pong| pong.checked_sub(1));
        // An idle connection keeps no more than the smallest queue.
        if self.frames.is_empty() && self.frames.capacity() > 4 {
            self.frames = VecDeque::new();
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests;
