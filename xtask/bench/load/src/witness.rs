//! The one connection whose messages are compared whole.

use anyhow::{Result, bail};
use flate2::{Decompress, FlushDecompress, Status};

use crate::frame::Piece;
use crate::messages::Messages;

/// What the witness has heard of the current message.
pub(crate) struct Witness {
    received: Vec<u8>,
    inflated: Vec<u8>,
    /// Keeps its window from message to message, which serves both with and without context takeover.
    decompress: Decompress,
}

impl Witness {
    pub(crate) fn new() -> Self {
        Self { received: Vec::new(), inflated: Vec::new(), decompress: Decompress::new(false) }
    }

    /// Takes the next piece of the message of this number, and compares it once it is complete.
    pub(crate) fn hear(&mut self, piece: Piece<'_>, number: usize, messages: &Messages) -> Result<()> {
        self.received.extend_from_slice(piece.payload);
        if !piece.is_last {
            return Ok(());
        }
        let expected = messages.payload(number);
        if piece.is_compressed {
            self.inflate(expected.len() + 1)?;
        } else {
            std::mem::swap(&mut self.received, &mut self.inflated);
        }
        self.received.clear();
        if !piece.is_text || self.inflated != expected {
            let (is, should) = (String::from_utf8_lossy(&self.inflated), String::from_utf8_lossy(expected));
            bail!("a message arrived altered: {is:.60} instead of {should:.60}");
        }
        Ok(())
    }

    fn inflate(&mut self, most: usize) -> Result<()> {
        self.received.extend([0, 0, 0xff, 0xff]);
        self.inflated.clear();
        self.inflated.reserve(most.max(1 << 10));
        let before = self.decompress.total_in();
        let status =
            self.decompress.decompress_vec(&self.received, &mut self.inflated, FlushDecompress::Sync)?;
        let taken = self.decompress.total_in() - before;
        if status == Status::StreamEnd {
            // A block with BFINAL set, which RFC 7692 section 7.2.3.4 allows: what follows starts anew.
            self.decompress.reset(false);
        } else if taken != self.received.len() as u64 {
            bail!("a compressed message inflates to more than was sent");
        }
        Ok(())
    }
}
