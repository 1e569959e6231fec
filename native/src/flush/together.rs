//! Many sockets with one system call: a ring for each thread that flushes.

use std::cell::RefCell;
use std::sync::Arc;

use crate::flush::ring::{BATCH_SENDS, Batch, Ring};
use crate::flush::sending_half::SendingHalf;

/// From this many sockets on, the ring is cheaper than a call for each.
pub(super) const MIN_SOCKETS: usize = 8;

thread_local! {
    static WRITER: RefCell<Writer> = RefCell::default();
}

/// One thread's ring and what is in it.
#[derive(Default)]
struct Writer {
    ring: Option<Ring>,
    is_unavailable: bool,
    batch: Batch<Arc<SendingHalf>>,
}

/// Writes to all sockets and removes them; those that are left still have to be written.
pub(super) fn flush(sockets: &mut Vec<Arc<SendingHalf>>) {
    WRITER.with_borrow_mut(|writer| {
        while !sockets.is_empty() && writer.is_ready() {
            let rest = sockets.len().saturating_sub(BATCH_SENDS);
            writer.flush(sockets.drain(rest..));
        }
    });
}

impl Writer {
    fn is_ready(&mut self) -> bool {
        if self.ring.is_none() && !self.is_unavailable {
            match Ring::new() {
                Ok(ring) => self.ring = Some(ring),
                Err(error) => {
                    tracing::debug!("broadcasts go without io_uring: {error}");
                    self.is_unavailable = true;
                }
            }
        }
        self.ring.is_some()
    }

    fn flush(&mut self, sockets: impl Iterator<Item = Arc<SendingHalf>>) {
        let Some(ring) = &mut self.ring else { return };
        for socket in sockets {
            socket.begin_write(&mut self.batch);
        }
        let is_sound = ring.run(&mut self.batch);
        self.batch.conclude(|socket, frames, outcome| socket.end_write(frames, outcome));
        if !is_sound {
            self.ring = None;
            self.is_unavailable = true;
        }
    }
}
