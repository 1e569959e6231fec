//! What one turn asks of JavaScript, packed into words.
//!
//! A batch is a list of `u32` words in WASM memory: records of an opcode and its fields, in the order in which to
//! do them. Bytes (heads, frames, texts) stay where they are and are named by address and length; they are held
//! until the next batch is made, so JavaScript copies what it keeps. `npm/src/engine/batch.ts` is the reader.
//!
//! ```text
//! ACCEPT      id id route head(2) name(2) subprotocol(2) params(2) authData(2)   answer 101
//! REJECT      id id response(2)                                                  answer this, close
//! PAUSE       id id                                                              stop reading
//! RESUME      id id                                                              read on
//! LOG         level text(2)
//! FRAMES      count, then count × frame(2)                                       each distinct frame once
//! WRITE       receivers count, then count × index into FRAMES, then receivers × id(2)   the same to each of them
//! END         id id                                                              close after what was written
//! REPORT_UNSENT id id                                                            report how much it has still to write
//! TERMINATE   id id                                                              close at once
//! REMOVED     id id                                                              forget it
//! READ        feed(2) file(2)                                                    read this file for a feed
//! READ_PART   read read offset offset length file(2)                             read this part of a file
//! APPEND      file(2) bytes(2)                                                   append to this file
//! DIAL        upstream upstream dial(2)                                           open this, described as JSON
//! UPSTREAM    upstream upstream payloadKind payload(2)                             send this on it
//! HANG_UP     upstream upstream code reason(2)                                    close it; code 0: none
//! PAUSE_UPSTREAM      upstream upstream                                           stop reading it
//! RESUME_UPSTREAM     upstream upstream                                           read on
//! TERMINATE_UPSTREAM  upstream upstream                                           drop it
//! CANCEL_CALL call call                                                          what this call comes to is ignored
//! CALL        call call id id route hook payloadKind payload(2) about(2) code detail   run a hook
//! ```

use std::collections::HashMap;
use std::iter::Peekable;

use bytes::Bytes;
use switchboard_core::ConnectionId;

use crate::contract::{FRAMES, WRITE};

/// Collects a turn's records and packs them.
#[derive(Default)]
pub(crate) struct Batch {
    /// Before any frame is written: answers to upgrades, reading, log lines.
    pub(crate) before: Records,
    writes: Vec<u32>,
    /// After all frames: ends of connections, then hooks, which may do anything.
    pub(crate) after: Records,
    pub(crate) calls: Records,
    frames: Vec<u32>,
    /// Where a frame stands in `frames`. Frames are shared between receivers, so their address names them.
    index: HashMap<[u32; 2], u32>,
    /// Where in `writes` the latest record begins.
    latest: Option<usize>,
    /// What is to be written now, by index.
    chosen: Vec<u32>,
    held: Vec<Bytes>,
    packed: Vec<u32>,
    packed_held: Vec<Bytes>,
}

/// Records of one section, and the bytes they name.
#[derive(Default)]
pub(crate) struct Records {
    words: Vec<u32>,
    held: Vec<Bytes>,
}

impl Records {
    /// Begins a record.
    pub(crate) fn record(&mut self, opcode: u32) -> &mut Self {
        self.word(opcode)
    }

    /// A record that only names a connection.
    pub(crate) fn about(&mut self, opcode: u32, id: ConnectionId) {
        self.record(opcode).id(id);
    }

    pub(crate) fn word(&mut self, word: u32) -> &mut Self {
        self.words.push(word);
        self
    }

    pub(crate) fn id(&mut self, id: ConnectionId) -> &mut Self {
        self.wide(id.to_bits())
    }

    /// A 64-bit number, its lower half first.
    pub(crate) fn wide(&mut self, number: u64) -> &mut Self {
        self.words.extend([number as u32, (number >> 32) as u32]);
        self
    }

    /// Address and length of bytes that live until the next batch.
    pub(crate) fn bytes(&mut self, bytes: Bytes) -> &mut Self {
        self.words.extend(place(&bytes));
        self.held.push(bytes);
        self
    }

    /// As [`bytes`](Self::bytes); nothing is address 0.
    pub(crate) fn text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.bytes(Bytes::copy_from_slice(text.as_bytes())),
            None => self.word(0).word(0),
        }
    }
}

impl Batch {
    /// Lets a socket write these frames, in order. Who is given the same as the one before shares its record.
    pub(crate) fn write(&mut self, id: ConnectionId, frames: impl Iterator<Item = Bytes>) {
        self.chosen.clear();
        let mut frames = frames.peekable();
        while let Some(frame) = frames.next() {
            let index = self.frame(join(frame, &mut frames));
            self.chosen.push(index);
        }
        if self.chosen.is_empty() {
            return;
        }
        match self.latest {
            Some(latest) if *self.frames_of(latest) == self.chosen[..] => self.writes[latest + 1] += 1,
            _ => {
                self.latest = Some(self.writes.len());
                self.writes.extend([WRITE, 1, self.chosen.len() as u32]);
                self.writes.extend(&self.chosen);
            }
        }
        let bits = id.to_bits();
        self.writes.extend([bits as u32, (bits >> 32) as u32]);
    }

    /// Whether there are hooks to run.
    pub(crate) fn has_calls(&self) -> bool {
        !self.calls.words.is_empty()
    }

    /// Packs what was collected and begins anew. Gives the number of words; the bytes of the batch before are let go.
    pub(crate) fn pack(&mut self) -> usize {
        self.packed.clear();
        self.packed_held.clear();
        self.packed.append(&mut self.before.words);
        if !self.writes.is_empty() {
            self.packed.extend([FRAMES, (self.frames.len() / 2) as u32]);
            self.packed.append(&mut self.frames);
            self.packed.append(&mut self.writes);
        }
        self.packed.append(&mut self.after.words);
        self.packed.append(&mut self.calls.words);
        for held in [&mut self.held, &mut self.before.held, &mut self.after.held, &mut self.calls.held] {
            self.packed_held.append(held);
        }
        self.index.clear();
        self.latest = None;
        self.packed.len()
    }

    /// The packed words.
    pub(crate) fn packed(&self) -> &[u32] {
        &self.packed
    }

    /// The bytes that the packed words name, in the order of the sections.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn packed_held(&self) -> &[Bytes] {
        &self.packed_held
    }

    /// Which frames a record of `writes` names.
    fn frames_of(&self, record: usize) -> &[u32] {
        let count = self.writes[record + 2] as usize;
        &self.writes[record + 3..record + 3 + count]
    }

    fn frame(&mut self, frame: Bytes) -> u32 {
        let (place, next) = (place(&frame), self.held.len() as u32);
        let index = match self.likely(self.chosen.len()) {
            Some(likely) if self.frames[2 * likely as usize..][..2] == place => likely,
            // Nobody else is given a frame that nobody else holds.
            _ if frame.is_unique() => next,
            _ => *self.index.entry(place).or_insert(next),
        };
        if index == next {
            self.frames.extend(place);
            self.held.push(frame);
        }
        index
    }

    /// The frame in the same position of the latest record: most receivers are given what the one before was given.
    fn likely(&self, position: usize) -> Option<u32> {
        self.frames_of(self.latest?).get(position).copied()
    }
}

/// A frame and the small ones behind it, as long as nobody else is given them, in one piece: that is one thing to copy
/// and to write instead of many.
fn join(first: Bytes, rest: &mut Peekable<impl Iterator<Item = Bytes>>) -> Bytes {
    const SMALL: usize = 4096;
    const MUCH: usize = 1 << 16;
    let is_own = |frame: &Bytes| frame.len() <= SMALL && frame.is_unique();
    if !is_own(&first) || !rest.peek().is_some_and(is_own) {
        return first;
    }
    let mut joined = Vec::from(first);
    while joined.len() < MUCH
        && let Some(next) = rest.next_if(is_own)
    {
        joined.extend_from_slice(&next);
    }
    joined.into()
}

/// Where bytes lie in WASM memory.
fn place(bytes: &Bytes) -> [u32; 2] {
    [bytes.as_ptr() as usize as u32, bytes.len() as u32]
}

#[cfg(test)]
mod tests {
    use switchboard_core::ConnectionIds;

    use super::*;
    use crate::contract::{END, LOG};

    #[test]
    fn a_shared_frame_stands_there_once() {
        let mut ids = ConnectionIds::default();
        let [a, b, c] = [ids.allocate(), ids.allocate(), ids.allocate()];
        let (shared, own) = (Bytes::from(vec![1, 2, 3]), Bytes::from(vec![1, 2, 3]));
        let mut batch = Batch::default();
        batch.write(a, [shared.clone(), own.clone()].into_iter());
        batch.write(b, [shared.clone()].into_iter());
        batch.write(b, std::iter::empty());
        batch.write(c, [shared.clone()].into_iter());
        batch.after.about(END, b);
        assert_eq!(batch.pack(), 2 + 2 * 2 + 7 + 8 + 3);
        let words = batch.packed();
        assert_eq!(words[..2], [FRAMES, 2]);
        assert_eq!(words[2..6], [place(&shared), place(&own)].concat());
        assert_eq!(words[6..], [WRITE, 1, 2, 0, 1, 0, 0, WRITE, 2, 1, 0, 1, 0, 2, 0, END, 1, 0]);
        assert_eq!(batch.pack(), 0);
    }

    #[test]
    fn a_frame_of_ones_own_is_not_taken_for_another() {
        let mut ids = ConnectionIds::default();
        let [a, b] = [ids.allocate(), ids.allocate()];
        let mut batch = Batch::default();
        let places = [a, b].map(|id| {
            let frame = Bytes::from(vec![7; 10]);
            let place = place(&frame);
            batch.write(id, [frame].into_iter());
            place
        });
        batch.pack();
        assert_eq!(batch.packed()[2..6], places.concat());
        assert_eq!(batch.packed()[6..], [WRITE, 1, 1, 0, 0, 0, WRITE, 1, 1, 1, 1, 0]);
    }

    #[test]
    fn what_nobody_else_is_given_goes_in_one_piece() {
        let mut ids = ConnectionIds::default();
        let shared = Bytes::from(vec![9]);
        let own = |byte| Bytes::from(vec![byte; 2]);
        let mut batch = Batch::default();
        batch.write(ids.allocate(), [own(1), own(2), shared.clone(), own(3), own(4), own(5)].into_iter());
        batch.pack();
        let lengths = [batch.packed()[3], batch.packed()[5], batch.packed()[7]];
        assert_eq!(lengths, [4, 1, 6]);
        assert_eq!(batch.packed_held[2], [3, 3, 4, 4, 5, 5][..]);
    }

    #[test]
    fn bytes_live_until_the_next_batch() {
        let bytes = Bytes::from(vec![7; 10]);
        let mut batch = Batch::default();
        batch.before.record(LOG).word(3).bytes(bytes.clone());
        batch.pack();
        assert!(!bytes.is_unique());
        batch.pack();
        assert!(bytes.is_unique());
    }
}
