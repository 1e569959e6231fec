//! Frames that wait for the socket, bounded in bytes.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// How much may wait, and what happens when more comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxOptions {
    /// Once this many bytes wait, the overflow policy applies to further messages. Default 1 MiB.
    /// What a message itself measures does not count: a large one can always be sent while less than this waits.
    pub max_bytes: usize,
    /// What happens to messages beyond it. Default [`Overflow::Close`].
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
    /// The host stops reading from this client until it has read; up to twice the bound may wait meanwhile.
    Pause,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits for the socket.
    Queued,
    /// So many messages were dropped: with [`Overflow::DropOldest`] waiting ones, and this one is queued;
    /// otherwise this one, because the close frame is queued already or the pause was overrun.
    Dropped(usize),
    /// Over the bound. With [`Overflow::Close`] the message is not queued and the connection is to be closed with
    /// 1013; with [`Overflow::Pause`] it is queued and the host is to stop reading from this connection.
    Full,
}

/// What a queued frame is, as far as the queue cares.
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
    /// Encode it and queue it; then this became of it.
    Admitted(Pushed),
    /// Leave it; this became of it.
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
    /// Where in the queue the latest pong stands.
    pong: Option<usize>,
    is_blocked: bool,
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
            pong: None,
            is_blocked: false,
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

    /// Takes out the first frame, for hosts that write whole frames. Of one written in part, the rest.
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

    /// How many frames wait.
    pub fn queued_frames(&self) -> usize {
        self.frames.len()
    }

    /// Whether the bound is reached. A paused host reads again when it no longer is.
    pub fn is_full(&self) -> bool {
        self.queued_bytes >= self.options.max_bytes
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
                dropped => Admission::Admitted(Pushed::Dropped(dropped)),
            },
            Overflow::Pause if self.queued_bytes >= self.options.max_bytes.saturating_mul(2) => {
                Admission::Refused(Pushed::Dropped(1))
            }
            Overflow::Pause => Admission::Admitted(Pushed::Full),
        }
    }

    /// Appends a frame. Pongs of a blocked socket take the place of one that waits.
    pub(super) fn push(&mut self, frame: Bytes, kind: Kind) {
        if kind == Kind::Pong {
            let length = frame.len();
            if let Some(waiting) = self.replaceable_pong() {
                let replaced = std::mem::replace(waiting, frame);
                self.queued_bytes = self.queued_bytes + length - replaced.len();
                return;
            }
            self.pong = Some(self.frames.len());
        }
        self.queued_bytes += frame.len();
        self.frames.push_back((frame, kind));
    }

    fn replaceable_pong(&mut self) -> Option<&mut Bytes> {
        let index = self.pong?;
        let is_waiting = index > 0 || !self.is_head_partial;
        if !is_waiting || !(self.is_blocked || self.is_full()) {
            return None;
        }
        self.frames.get_mut(index).map(|(frame, _)| frame)
    }

    /// Drops waiting messages from the front until less than the bound waits; how many.
    fn drop_oldest(&mut self) -> usize {
        let mut dropped = 0;
        let mut index = usize::from(self.is_head_partial);
        while self.is_full() && index < self.frames.len() {
            if self.frames[index].1 != Kind::Message {
                index += 1;
                continue;
            }
            if let Some((frame, _)) = self.frames.remove(index) {
                self.queued_bytes -= frame.len();
                dropped += 1;
            }
            self.pong = self.pong.map(|pong| if pong > index { pong - 1 } else { pong });
        }
        dropped
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
mod tests {
    use super::*;

    fn outbox(max_bytes: usize, overflow: Overflow) -> Outbox {
        Outbox::new(OutboxOptions { max_bytes, overflow })
    }

    fn push(outbox: &mut Outbox, byte: u8, length: usize) -> Pushed {
        match outbox.admit() {
            Admission::Admitted(pushed) => {
                outbox.push(vec![byte; length].into(), Kind::Message);
                pushed
            }
            Admission::Refused(pushed) => pushed,
        }
    }

    #[test]
    fn nothing_follows_a_message_that_was_refused() {
        let mut outbox = outbox(10, Overflow::Close);
        assert_eq!(push(&mut outbox, 1, 10), Pushed::Queued);
        assert_eq!(push(&mut outbox, 2, 1), Pushed::Full);
        // The socket takes everything before the engine has heard of it.
        outbox.advance(10);
        assert_eq!(push(&mut outbox, 3, 1), Pushed::Dropped(1));
        assert!(outbox.is_empty());
    }

    fn pong(outbox: &mut Outbox, byte: u8) {
        outbox.push(vec![byte; 2].into(), Kind::Pong);
    }

    /// The first byte of each frame that waits.
    fn waiting(outbox: &Outbox) -> Vec<u8> {
        outbox.chunks().map(|chunk| chunk[0]).collect()
    }

    #[test]
    fn bytes_leave_in_order_however_the_socket_takes_them() {
        for step in 1..20 {
            let mut outbox = outbox(100, Overflow::Close);
            for (byte, length) in [(1, 3), (2, 5), (3, 1), (4, 4)] {
                assert_eq!(push(&mut outbox, byte, length), Pushed::Queued);
            }
            let mut written = Vec::new();
            while !outbox.is_empty() {
                let next: Vec<u8> = outbox.chunks().flatten().copied().take(step).collect();
                outbox.advance(next.len());
                written.extend(next);
                assert_eq!(outbox.queued_bytes() + written.len(), 13);
            }
            assert_eq!(written, [1, 1, 1, 2, 2, 2, 2, 2, 3, 4, 4, 4, 4], "step {step}");
        }
    }

    #[test]
    fn whole_frames_leave_too() {
        let mut outbox = outbox(100, Overflow::Close);
        push(&mut outbox, 1, 3);
        push(&mut outbox, 2, 2);
        outbox.advance(1);
        assert_eq!(outbox.pop().as_deref(), Some(&[1, 1][..]));
        assert_eq!(outbox.queued_bytes(), 2);
        assert_eq!(outbox.pop().as_deref(), Some(&[2, 2][..]));
        assert_eq!(outbox.pop(), None);
    }

    #[test]
    fn slices_are_filled_from_the_front() {
        let mut outbox = outbox(100, Overflow::Close);
        for byte in 1..=3 {
            push(&mut outbox, byte, 2);
        }
        outbox.advance(1);
        let mut slices = [IoSlice::new(&[]); 2];
        assert_eq!(outbox.fill(&mut slices), 2);
        assert_eq!((&*slices[0], &*slices[1]), (&[1][..], &[2, 2][..]));
    }

    #[test]
    fn close_refuses_beyond_the_bound_but_takes_any_size_below_it() {
        let mut outbox = outbox(10, Overflow::Close);
        assert_eq!(push(&mut outbox, 1, 9), Pushed::Queued);
        assert_eq!(push(&mut outbox, 2, 1000), Pushed::Queued);
        assert_eq!(push(&mut outbox, 3, 1), Pushed::Full);
        assert_eq!(waiting(&outbox), [1, 2]);
    }

    #[test]
    fn pause_takes_twice_the_bound() {
        let mut outbox = outbox(10, Overflow::Pause);
        let pushed: Vec<_> = (1..=5).map(|byte| push(&mut outbox, byte, 5)).collect();
        let full = Pushed::Full;
        assert_eq!(pushed, [Pushed::Queued, Pushed::Queued, full, full, Pushed::Dropped(1)]);
        assert_eq!(waiting(&outbox), [1, 2, 3, 4]);
    }

    #[test]
    fn the_oldest_messages_are_dropped_but_no_control_or_partial_frames() {
        let mut outbox = outbox(10, Overflow::DropOldest);
        push(&mut outbox, 1, 4);
        outbox.push(vec![9; 2].into(), Kind::Control);
        push(&mut outbox, 2, 3);
        push(&mut outbox, 3, 3);
        outbox.advance(1);
        assert_eq!(push(&mut outbox, 4, 3), Pushed::Dropped(1));
        assert_eq!(waiting(&outbox), [1, 9, 3, 4]);
        assert_eq!(push(&mut outbox, 5, 100), Pushed::Dropped(1));
        assert_eq!(waiting(&outbox), [1, 9, 4, 5]);
        assert_eq!(push(&mut outbox, 6, 1), Pushed::Dropped(2));
        assert_eq!(waiting(&outbox), [1, 9, 6]);
        assert_eq!(outbox.queued_bytes(), 3 + 2 + 1);
    }

    #[test]
    fn a_single_partial_frame_over_the_bound_leaves_room_for_the_latest() {
        let mut outbox = outbox(10, Overflow::DropOldest);
        push(&mut outbox, 1, 100);
        outbox.advance(1);
        assert_eq!(push(&mut outbox, 2, 5), Pushed::Queued);
        assert_eq!(push(&mut outbox, 3, 5), Pushed::Dropped(1));
        assert_eq!(waiting(&outbox), [1, 3]);
    }

    #[test]
    fn pongs_are_replaced_only_while_the_socket_is_blocked() {
        let mut outbox = outbox(100, Overflow::Close);
        for byte in 1..=10 {
            pong(&mut outbox, byte);
        }
        assert_eq!(waiting(&outbox), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        outbox.set_blocked(true);
        outbox.advance(2 * 8);
        pong(&mut outbox, 11);
        assert_eq!(waiting(&outbox), [9, 11], "the latest makes way");
        outbox.advance(3);
        pong(&mut outbox, 12);
        assert_eq!(waiting(&outbox), [11, 12], "not one written in part");
        pong(&mut outbox, 13);
        assert_eq!(waiting(&outbox), [11, 13]);
        assert_eq!(outbox.queued_bytes(), 3);
        outbox.pop();
        outbox.pop();
        pong(&mut outbox, 14);
        assert_eq!(waiting(&outbox), [14]);
    }

    #[test]
    fn a_pong_is_found_after_messages_before_it_were_dropped() {
        let mut outbox = outbox(10, Overflow::DropOldest);
        outbox.set_blocked(true);
        push(&mut outbox, 1, 5);
        push(&mut outbox, 2, 5);
        pong(&mut outbox, 100);
        assert_eq!(push(&mut outbox, 3, 5), Pushed::Dropped(1));
        pong(&mut outbox, 101);
        assert_eq!(waiting(&outbox), [2, 101, 3]);
    }
}
