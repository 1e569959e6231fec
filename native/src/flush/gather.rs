//! Many frames of an outbox for one write.

use std::io::IoSlice;

use switchboard_core::protocol::Outbox;

/// How many frames one `writev` takes at most. Linux allows 1024; more than these rarely wait.
pub(crate) const FRAMES_PER_WRITE: usize = 64;

/// Calls `write` with the first frames that wait.
pub(crate) fn gather<T>(outbox: &mut Outbox, write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
    let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
    let filled = outbox.fill(&mut slices);
    write(&slices[..filled])
}
