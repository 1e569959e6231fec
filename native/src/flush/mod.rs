//! The end of a turn: what it queued goes to the kernel, each socket once.

pub(crate) mod cork;
#[cfg(target_os = "linux")]
pub(crate) mod pages;
#[cfg(target_os = "linux")]
pub(crate) mod ring;
pub(crate) mod sending_half;
pub(crate) mod tls_session;

use std::sync::Arc;

use tokio::runtime::Handle;

#[cfg(target_os = "linux")]
use crate::flush::pages::Pages;
use crate::flush::sending_half::SendingHalf;

/// So many sockets are written at a stretch, which takes two or three ms; then others have their turn.
const STRETCH: usize = 1024;

/// How the sockets of a wide broadcast are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    /// One system call for each socket.
    Each,
    /// Many sockets with one system call where the kernel has io_uring and allows it, else each.
    Together,
}

impl Flush {
    /// Writes what the sockets take, without waiting, and empties the list. What is too much at a stretch is left to
    /// tasks, one for each of the runtime's threads: meanwhile those sockets count as touched and get nothing twice.
    pub(crate) fn run(self, sockets: &mut Vec<Arc<SendingHalf>>, runtime: &Handle) {
        if sockets.len() > STRETCH {
            let mut rest = sockets.split_off(STRETCH);
            let share = rest.len().div_ceil(runtime.metrics().num_workers().max(1)).max(STRETCH);
            while !rest.is_empty() {
                let share = rest.split_off(rest.len().saturating_sub(share));
                runtime.spawn(self.run_in_stretches(share));
            }
        }
        self.write(sockets);
    }

    async fn run_in_stretches(self, mut sockets: Vec<Arc<SendingHalf>>) {
        while !sockets.is_empty() {
            tokio::task::yield_now().await;
            let mut stretch = sockets.split_off(sockets.len().saturating_sub(STRETCH));
            self.write(&mut stretch);
        }
    }

    fn write(self, sockets: &mut Vec<Arc<SendingHalf>>) {
        #[cfg(target_os = "linux")]
        if self == Self::Together && sockets.len() >= together::MIN_SOCKETS {
            let mut pages = Pages::default();
            if sockets[..2].iter().any(|socket| socket.suits(&pages)) {
                sockets.iter().for_each(|socket| socket.write_pages(&mut pages));
            }
            together::flush(sockets);
        }
        for socket in sockets.drain(..) {
            socket.flush();
        }
    }
}

#[cfg(target_os = "linux")]
mod together {
    use std::cell::RefCell;
    use std::sync::Arc;

    use crate::flush::ring::{BATCH_SENDS, Batch, Ring};
    use crate::flush::sending_half::SendingHalf;

    /// From so many sockets on, going through the ring is cheaper than a call for each.
    pub(super) const MIN_SOCKETS: usize = 8;

    thread_local! {
        static WRITER: RefCell<Writer> = RefCell::default();
    }

    /// One thread's ring and what is in it.
    #[derive(Default)]
    struct Writer {
        ring: Option<Ring>,
        is_unavailable: bool,
        batch: Batch,
    }

    /// Writes to all, or leaves those that are still to be written.
    pub(super) fn flush(sockets: &mut Vec<Arc<SendingHalf>>) {
        WRITER.with_borrow_mut(|writer| {
            while !sockets.is_empty() && writer.is_ready() {
                let rest = sockets.len().saturating_sub(BATCH_SENDS);
                writer.flush(&mut sockets[rest..]);
                sockets.truncate(rest);
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

        fn flush(&mut self, sockets: &mut [Arc<SendingHalf>]) {
            let Some(ring) = &mut self.ring else { return };
            // Those that have nothing to write this way are done; the others move to the front.
            let mut count = 0;
            for index in 0..sockets.len() {
                if sockets[index].begin_write(&mut self.batch) {
                    sockets.swap(count, index);
                    count += 1;
                }
            }
            let is_sound = ring.run(&mut self.batch);
            let mut sockets = sockets.iter();
            self.batch.conclude(|frames, outcome| {
                if let Some(socket) = sockets.next() {
                    socket.end_write(frames, outcome);
                }
            });
            if !is_sound {
                self.ring = None;
                self.is_unavailable = true;
            }
        }
    }
}
