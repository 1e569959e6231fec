//! Writing many connections together: the pages of large frames, and one system call for many sockets.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::flush::gather::FRAMES_PER_WRITE;
use crate::flush::pages::Pages;
use crate::flush::ring::Batch;
use crate::flush::sending::{Ending, Sending};
use crate::flush::sending_half::SendingHalf;

impl SendingHalf {
    /// Whether the first frame that waits is so large, and has so many receivers, that sending its pages is cheaper.
    pub(super) fn suits(&self, pages: &Pages) -> bool {
        let sending = self.lock();
        sending.tls.is_none() && sending.writer.outbox_ref().first().is_some_and(|first| pages.suit(first))
    }

    /// Writes the large frames at the front. A flush has to follow for the rest, and for errors.
    pub(super) fn write_pages(&self, pages: &mut Pages) {
        let mut sending = self.lock();
        let is_plain = sending.ending != Ending::Terminate && !sending.is_writing && sending.tls.is_none();
        let Sending { stream, writer, .. } = &mut *sending;
        let (Some(stream), outbox) = (stream, writer.outbox()) else { return };
        let stream: &TcpStream = stream.as_ref();
        while is_plain
            && !outbox.is_blocked()
            && let Some(first) = outbox.first().filter(|first| pages.suit(first))
            && let Ok(written) = stream.try_io(Interest::WRITABLE, || pages.send(stream.as_fd(), first))
        {
            outbox.advance(written);
        }
    }

    /// Puts what waits into a batch; when that has run, [`end_write`](Self::end_write) has to follow. With nothing to
    /// write in this way, it is flushed instead.
    pub(super) fn begin_write(self: &Arc<Self>, batch: &mut Batch<Arc<Self>>) {
        let mut sending = self.lock();
        let is_plain = sending.ending == Ending::No
            && !sending.is_writing
            && !sending.is_owner_due
            && sending.tls.is_none();
        let Sending { stream, writer, is_touched, is_writing, .. } = &mut *sending;
        let outbox = writer.outbox();
        match stream {
            Some(stream) if is_plain && !outbox.is_blocked() && !outbox.is_empty() => {
                *is_touched = false;
                *is_writing = true;
                outbox.lend(FRAMES_PER_WRITE, batch.frames());
                // SAFETY: the stream belongs to the `Sending` in `self`, which gives it up only when it is dropped.
                #[allow(unsafe_code)]
                unsafe {
                    batch.add(stream.as_ref().as_fd(), self.clone());
                }
            }
            _ => {
                drop(sending);
                self.flush();
            }
        }
    }

    /// Takes the result, and goes on with what was queued meanwhile.
    pub(super) fn end_write(&self, frames: &mut [Bytes], outcome: io::Result<usize>) {
        let mut sending = self.lock();
        sending.is_writing = false;
        // After an error the next write fails in the same way, and handles it.
        sending.writer.outbox().give_back(frames, outcome.unwrap_or(0));
        sending.write();
        sending.is_owner_due |= sending.ending != Ending::No || sending.writer.is_closed();
        Self::wake_owner(sending);
    }
}
