//! What a reader keeps for later.

/// Bytes beyond the budget of a call.
#[derive(Debug)]
pub(super) struct Undecoded {
    bytes: Vec<u8>,
    /// How many of them are decoded.
    taken: usize,
}

impl Undecoded {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), taken: 0 }
    }

    /// More has come.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What waits.
    pub(super) fn rest(&mut self) -> &mut [u8] {
        &mut self.bytes[self.taken..]
    }

    /// So much of it is decoded.
    pub(super) fn take(&mut self, bytes: usize) {
        self.taken += bytes;
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
