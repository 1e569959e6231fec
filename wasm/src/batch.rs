//! What one turn asks of JavaScript, packed into words.
//!
//! A batch is a list of `u32` words in WASM memory: records of an opcode and its fields, in the order in which to
//! do them. Bytes (heads, frames, texts) stay where they are and are named by address and length; they are held
//! until the next batch is made, so JavaScript copies what it keeps. `npm/src/batch.ts` is the reader.
//!
//! ```text
//! ACCEPT      id id route head(2) name(2) subprotocol(2) params(2) authData(2)   answer 101
//! REJECT      id id response(2)                                                  answer this, close
//! IGNORE      id id                                                              not ours
//! PAUSE       id id                                                              stop reading
//! RESUME      id id                                                              read on
//! LOG         level text(2)
//! FRAMES      count, then count × frame(2)                                       each distinct frame once
//! WRITE       id id count, then count × index into FRAMES                        one per socket
//! END         id id                                                              close after what was written
//! TERMINATE   id id                                                              close at once
//! REMOVED     id id                                                              forget it
//! READ        feed(2) file(2)                                                    read this file for a feed
//! DIAL        upstream upstream dial(2)                                           open this, described as JSON
//! UPSTREAM    upstream upstream payloadKind payload(2)                             send this on it
//! HANG_UP     upstream upstream code reason(2)                                    close it; code 0: none
//! CALL        call call id id route hook payloadKind payload(2) code cause       run a hook
//! ```

use std::collections::HashMap;

use bytes::Bytes;
use switchboard_core::ConnectionId;

pub(crate) const ACCEPT: u32 = 1;
pub(crate) const REJECT: u32 = 2;
pub(crate) const IGNORE: u32 = 3;
pub(crate) const PAUSE: u32 = 4;
pub(crate) const RESUME: u32 = 5;
pub(crate) const LOG: u32 = 6;
const FRAMES: u32 = 7;
const WRITE: u32 = 8;
pub(crate) const END: u32 = 9;
pub(crate) const TERMINATE: u32 = 10;
pub(crate) const REMOVED: u32 = 11;
pub(crate) const CALL: u32 = 12;
pub(crate) const READ: u32 = 13;
pub(crate) const DIAL: u32 = 14;
pub(crate) const UPSTREAM: u32 = 15;
pub(crate) const HANG_UP: u32 = 16;

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
    index: HashMap<(usize, usize), u32>,
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
    /// Lets a socket write these frames, in order.
    pub(crate) fn write(&mut self, id: ConnectionId, frames: impl Iterator<Item = Bytes>) {
        let start = self.writes.len();
        let bits = id.to_bits();
        self.writes.extend([WRITE, bits as u32, (bits >> 32) as u32, 0]);
        for frame in frames {
            let index = self.frame(frame);
            self.writes.push(index);
        }
        match (self.writes.len() - start - 4) as u32 {
            0 => self.writes.truncate(start),
            count => self.writes[start + 3] = count,
        }
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
        self.packed.len()
    }

    /// The packed words.
    pub(crate) fn packed(&self) -> &[u32] {
        &self.packed
    }

    fn frame(&mut self, frame: Bytes) -> u32 {
        let next = self.held.len() as u32;
        let index = *self.index.entry((frame.as_ptr() as usize, frame.len())).or_insert(next);
        if index == next {
            self.frames.extend(place(&frame));
            self.held.push(frame);
        }
        index
    }
}

/// Where bytes lie in WASM memory.
fn place(bytes: &Bytes) -> [u32; 2] {
    [bytes.as_ptr() as usize as u32, bytes.len() as u32]
}

#[cfg(test)]
mod tests {
    use switchboard_core::ConnectionIds;

    use super::*;

    #[test]
    fn a_shared_frame_stands_there_once() {
        let mut ids = ConnectionIds::default();
        let (a, b) = (ids.allocate(), ids.allocate());
        let (shared, own) = (Bytes::from(vec![1, 2, 3]), Bytes::from(vec![1, 2, 3]));
        let mut batch = Batch::default();
        batch.write(a, [shared.clone(), own.clone()].into_iter());
        batch.write(b, [shared.clone()].into_iter());
        batch.write(b, std::iter::empty());
        batch.after.about(END, b);
        assert_eq!(batch.pack(), 2 + 2 * 2 + 6 + 5 + 3);
        let words = batch.packed();
        assert_eq!(words[..2], [FRAMES, 2]);
        assert_eq!(words[2..6], [place(&shared), place(&own)].concat());
        assert_eq!(words[6..], [WRITE, 0, 0, 2, 0, 1, WRITE, 1, 0, 1, 0, END, 1, 0]);
        assert_eq!(batch.pack(), 0);
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
