//! Whether what a client sends still matters.

use crate::protocol::assembler::Assembler;

/// So many bytes may come after the end, in case messages are allowed to be smaller than that.
const MIN_DISCARDED: usize = 1 << 20;

/// What becomes of messages.
#[derive(Debug)]
pub(super) enum Content {
    Assembled(Assembler),
    /// They are passed over. The host reads no more when so many bytes have come.
    Discarded {
        left: usize,
    },
}

impl Content {
    /// Passes over everything from here on.
    pub(super) fn discard(&mut self) {
        if let Self::Assembled(assembler) = self {
            *self = Self::Discarded { left: assembler.max_message().max(MIN_DISCARDED) };
        }
    }

    /// Takes note of bytes that were passed over.
    #[inline]
    pub(super) fn count(&mut self, bytes: usize) {
        if let Self::Discarded { left } = self {
            *left = left.saturating_sub(bytes);
        }
    }
}
