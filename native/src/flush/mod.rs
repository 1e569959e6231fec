//! Writing at the end of a turn: each socket that something was queued for is written once.

#[cfg(target_os = "linux")]
mod batched;
pub(crate) mod cork;
mod gather;
mod kernel;
#[cfg(target_os = "linux")]
mod pages;
#[cfg(target_os = "linux")]
mod ring;
pub(crate) mod sending;
pub(crate) mod sending_half;
pub(crate) mod tls_session;
#[cfg(target_os = "linux")]
mod together;

use std::sync::Arc;

use tokio::runtime::Handle;

#[cfg(target_os = "linux")]
use crate::flush::pages::Pages;
use crate::flush::sending_half::SendingHalf;

/// How many sockets are written in one stretch, which takes two or three ms; then other tasks run.
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
    /// Writes what the sockets take, without waiting, and empties the list. What is too much for one stretch is left to
    /// tasks, one for each of the runtime's threads; meanwhile those sockets count as touched, so that none is listed twice.
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
