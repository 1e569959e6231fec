//! Files that are read part by part, so that large ones need no memory of their size.

use bytes::Bytes;

/// Names one [`Effect::ReadFilePart`](crate::Effect::ReadFilePart) that waits for its answer. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReadId(pub(crate) u64);

impl ReadId {
    /// The id as a number, for crossing into JavaScript.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The inverse of [`to_bits`](Self::to_bits).
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePart {
    /// Its bytes: as many as were asked for, unless the file ends before.
    pub bytes: Bytes,
    /// Whether the file ends behind them. A part that ends just where the file does may say false; then the next one is empty.
    pub is_last: bool,
}
