//! The sending half of a connection's TCP stream, shared by all turns that send to it.

use std::io::{self, IoSlice};
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use switchboard_core::protocol::{Burst, Outbox, Overflow, Pushed, Writer};
use switchboard_core::{CloseFrame, ConnectionId};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

#[cfg(target_os = "linux")]
use crate::flush::pages::Pages;
#[cfg(target_os = "linux")]
use crate::flush::ring::Batch;
use crate::flush::tls_session::TlsSession;

/// How many frames one `writev` takes at most. Linux allows 1024; more than these rarely wait.
pub(crate) const FRAMES_PER_WRITE: usize = 64;

/// Reading less at once costs more than it saves.
const MIN_READ: usize = 4096;

/// One connection as the turns see it. Its own task ([`Receiver`](crate::connection::receiver::Receiver)) reads, and writes
/// only after the stream was full.
pub(crate) struct SendingHalf {
    id: ConnectionId,
    max_read: usize,
    sending: Mutex<Sending>,
}

/// The outbox and where it goes.
pub(crate) struct Sending {
    /// None until the 101 is written.
    stream: Option<OwnedWriteHalf>,
    tls: Option<Box<TlsSession>>,
    writer: Writer,
    overflow: Overflow,
    ending: Ending,
    /// Some turn is going to flush.
    is_touched: bool,
    /// The first frames are being written together with those of other sockets.
    is_writing: bool,
    /// The engine wants no more input for now.
    is_paused: bool,
    /// The engine was told that the outbox is full, where the policy is to wait.
    is_full: bool,
    /// The engine is to be told that it no longer is.
    is_drained: bool,
    /// There is something for the connection's own task.
    is_owner_due: bool,
    owner: Option<Waker>,
}

/// How far a connection's end has come on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// It lives.
    No,
    /// Close the stream when the outbox is empty.
    Disconnect,
    /// Drop the stream.
    Terminate,
}

/// What the engine has to be told of an outbox after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Nothing.
    HasRoom,
    /// It has reached its bound, and the policy is to wait.
    Full,
    /// It is over its bound, and the policy is to close.
    Overflowed,
}

/// What the connection's own task is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Read.
    Read,
    /// The close frame is written: read on for the client's.
    AwaitClose,
    /// Wait to be woken.
    Wait,
    /// Tell the engine that there is room in the outbox again.
    Drained,
    /// Everything is written: close the stream politely.
    Disconnect,
    /// Drop the stream.
    Drop,
}

impl SendingHalf {
    /// A socket whose stream is still with HTTP. What it is sent meanwhile waits.
    pub(crate) fn new(id: ConnectionId, mut writer: Writer, overflow: Overflow) -> Self {
        writer.outbox().set_blocked(true);
        let max_read = match overflow {
            Overflow::Pause => writer.outbox_ref().max_bytes().max(MIN_READ),
            Overflow::Close | Overflow::DropOldest => usize::MAX,
        };
        let sending = Sending {
            stream: None,
            tls: None,
            writer,
            overflow,
            ending: Ending::No,
            is_touched: false,
            is_writing: false,
            is_paused: false,
            is_full: false,
            is_drained: false,
            is_owner_due: false,
            owner: None,
        };
        Self { id, max_read, sending: Mutex::new(sending) }
    }

    /// The 101 is written: what waits may follow, at the next [`poll_next_step`](Self::poll_next_step).
    pub(crate) fn attach(&self, stream: OwnedWriteHalf, tls: Option<Box<TlsSession>>) {
        let mut sending = self.lock();
        sending.stream = Some(stream);
        sending.tls = tls;
    }

    /// Decrypts what came from the stream, where there is TLS. True: the client has ended the TLS connection.
    pub(crate) fn decrypt(&self, encrypted: &[u8], decrypted: &mut Vec<u8>) -> io::Result<bool> {
        let mut sending = self.lock();
        let Some(tls) = &mut sending.tls else { return Ok(false) };
        let read = tls.read(encrypted, decrypted);
        // TLS has something to say itself: new keys, or what the client did wrong.
        if tls.is_pending() && !sending.is_writing {
            sending.write();
        }
        read
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    /// How many bytes to read at once at most, so that a client that is to be paused can be before too much waits for
    /// it: replies are about as large as what is replied to.
    pub(crate) fn max_read(&self) -> usize {
        self.max_read
    }

    /// Queues messages; what the engine has to be told of the outbox, and how many messages it has dropped.
    #[must_use]
    pub(crate) fn send(
        self: &Arc<Self>,
        burst: &mut Burst,
        touched: &mut Vec<Arc<SendingHalf>>,
    ) -> (Fill, usize) {
        let mut sending = self.lock();
        let pushed = sending.push(burst);
        let fill = match (pushed, sending.overflow) {
            (Pushed::Full, Overflow::Pause) if !std::mem::replace(&mut sending.is_full, true) => {
                // Told that it is full anew, the engine need not hear that it was not.
                sending.is_drained = false;
                Fill::Full
            }
            (Pushed::Full, Overflow::Close) => Fill::Overflowed,
            _ => Fill::HasRoom,
        };
        let dropped = match pushed {
            Pushed::Queued => 0,
            Pushed::Dropped(_) | Pushed::Full => sending.writer.outbox().take_dropped(),
        };
        // A blocked socket is flushed by its own task.
        if !sending.is_touched && !sending.writer.outbox_ref().is_blocked() {
            sending.is_touched = true;
            touched.push(self.clone());
        }
        (fill, dropped)
    }

    /// How many bytes wait in the outbox.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.lock().writer.outbox_ref().queued_bytes()
    }

    /// Changes anything else. The turn's end flushes, and wakes the connection's own task if that is due.
    pub(crate) fn change(
        self: &Arc<Self>,
        touched: &mut Vec<Arc<SendingHalf>>,
        act: impl FnOnce(&mut Sending),
    ) {
        let mut sending = self.lock();
        act(&mut sending);
        if !sending.is_touched {
            sending.is_touched = true;
            touched.push(self.clone());
        }
    }

    /// Writes what the stream takes, without waiting.
    pub(crate) fn flush(&self) {
        let mut sending = self.lock();
        sending.is_touched = false;
        // Whoever is writing goes on with what came meanwhile.
        if !sending.is_writing {
            sending.write();
        }
        Self::wake_owner(sending);
    }

    /// Whether a frame that others are sent too waits, and is so large that its pages had better be sent.
    #[cfg(target_os = "linux")]
    pub(crate) fn suits(&self, pages: &Pages) -> bool {
        let sending = self.lock();
        sending.tls.is_none() && sending.writer.outbox_ref().first().is_some_and(|first| pages.suit(first))
    }

    /// Writes the large frames that are first. What is left, errors included, is for a flush, which has to follow.
    #[cfg(target_os = "linux")]
    pub(crate) fn write_pages(&self, pages: &mut Pages) {
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

    /// Puts what waits into a batch; then [`end_write`](Self::end_write) has to follow. False: it was flushed instead.
    #[cfg(target_os = "linux")]
    pub(crate) fn begin_write(&self, batch: &mut Batch) -> bool {
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
                batch.add(stream.as_ref().as_fd());
                true
            }
            _ => {
                drop(sending);
                self.flush();
                false
            }
        }
    }

    /// What became of it; goes on with what came meanwhile.
    #[cfg(target_os = "linux")]
    pub(crate) fn end_write(&self, frames: &mut [Bytes], outcome: io::Result<usize>) {
        let mut sending = self.lock();
        sending.is_writing = false;
        // After an error the next write comes to the same, and knows what to do.
        sending.writer.outbox().give_back(frames, outcome.unwrap_or(0));
        sending.write();
        sending.is_owner_due |= sending.ending != Ending::No || sending.writer.is_closed();
        Self::wake_owner(sending);
    }

    /// For the connection's own task: writes if that was blocked, and says what to do next.
    pub(crate) fn poll_next_step(&self, context: &mut Context<'_>) -> NextStep {
        let mut sending = self.lock();
        while sending.writer.outbox_ref().is_blocked() && sending.ending != Ending::Terminate {
            let Some(stream) = sending.stream() else { break };
            match stream.poll_write_ready(context) {
                Poll::Pending => break,
                Poll::Ready(Ok(())) => sending.write(),
                Poll::Ready(Err(_)) => sending.ending = Ending::Terminate,
            }
        }
        sending.is_owner_due = false;
        match &mut sending.owner {
            Some(owner) => owner.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        match sending.ending {
            Ending::Terminate => NextStep::Drop,
            Ending::Disconnect if !sending.has_unwritten() => NextStep::Disconnect,
            Ending::Disconnect => NextStep::Wait,
            // Before it is written, the client cannot answer it.
            Ending::No if sending.writer.is_closed() => match sending.writer.outbox_ref().is_empty() {
                true => NextStep::AwaitClose,
                false => NextStep::Wait,
            },
            Ending::No if sending.is_drained => NextStep::Drained,
            Ending::No if sending.is_paused => NextStep::Wait,
            Ending::No => NextStep::Read,
        }
    }

    /// For the connection's own task, which tells the engine of it: there is room in the outbox again.
    pub(crate) fn take_drained(&self) -> bool {
        std::mem::take(&mut self.lock().is_drained)
    }

    /// For the connection's own task: waits until the connection is to be dropped.
    pub(crate) async fn terminated(&self) {
        std::future::poll_fn(|context| match self.poll_next_step(context) {
            NextStep::Drop => Poll::Ready(()),
            NextStep::Read
            | NextStep::AwaitClose
            | NextStep::Wait
            | NextStep::Drained
            | NextStep::Disconnect => Poll::Pending,
        })
        .await;
    }

    /// Closes this direction of the stream, which the client sees as its end.
    pub(crate) fn shutdown(&self) {
        let mut sending = self.lock();
        let mut context = Context::from_waker(Waker::noop());
        let Sending { stream, tls, .. } = &mut *sending;
        // For TCP this never waits; a stream that is gone has no need of it.
        if let Some(stream) = stream {
            if let Some(tls) = tls {
                tls.close(stream);
            }
            let _ = tokio::io::AsyncWrite::poll_shutdown(std::pin::Pin::new(stream), &mut context);
        }
    }

    /// Makes the end abrupt: the kernel drops what it holds, instead of keeping it for a client that does not read.
    pub(crate) fn reset(&self) {
        if let Some(stream) = self.lock().stream() {
            let _ = stream.set_zero_linger();
        }
    }

    fn wake_owner(mut sending: MutexGuard<'_, Sending>) {
        let owner = if std::mem::take(&mut sending.is_owner_due) { sending.owner.take() } else { None };
        drop(sending);
        if let Some(owner) = owner {
            owner.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sending> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    pub(crate) fn ping(&mut self, payload: &[u8]) {
        self.writer.ping(payload);
    }

    pub(crate) fn pong(&mut self, payload: &[u8]) {
        self.writer.pong(payload);
    }

    pub(crate) fn close(&mut self, frame: Option<&CloseFrame>) {
        self.writer.close(frame);
        // What is read from now on is read otherwise.
        self.is_owner_due = true;
    }

    pub(crate) fn end(&mut self, ending: Ending) {
        self.ending = self.ending.max(ending);
        self.is_owner_due = true;
    }

    pub(crate) fn set_paused(&mut self, paused: bool) {
        self.is_paused = paused;
        self.is_owner_due |= !paused;
    }

    fn stream(&self) -> Option<&TcpStream> {
        self.stream.as_ref().map(AsRef::as_ref)
    }

    fn push(&mut self, burst: &mut Burst) -> Pushed {
        let Self { stream, tls, writer, is_writing, .. } = self;
        writer.send_burst(burst, |outbox| {
            if let Some(stream) = stream
                && !*is_writing
                && !outbox.is_blocked()
            {
                // An error comes again when the socket is flushed.
                let _ = write(stream, tls.as_deref_mut(), outbox);
            }
        })
    }

    fn has_unwritten(&self) -> bool {
        !self.writer.outbox_ref().is_empty() || self.tls.as_ref().is_some_and(|tls| tls.is_pending())
    }

    fn write(&mut self) {
        let was_blocked = self.writer.outbox_ref().is_blocked();
        let mut is_blocked = false;
        if self.ending != Ending::Terminate && self.has_unwritten() {
            let written = match &self.stream {
                Some(stream) => write(stream, self.tls.as_deref_mut(), self.writer.outbox()),
                None => Err(io::ErrorKind::WouldBlock.into()),
            };
            match written {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => is_blocked = true,
                Err(_) => self.end(Ending::Terminate),
            }
        }
        self.writer.outbox().set_blocked(is_blocked);
        self.is_owner_due |= is_blocked && !was_blocked;
        if self.is_full && !self.writer.outbox_ref().is_full() {
            self.is_full = false;
            self.is_drained = true;
            self.is_owner_due = true;
        }
    }
}

/// Writes until nothing waits or the stream takes no more.
fn write(stream: &OwnedWriteHalf, tls: Option<&mut TlsSession>, outbox: &mut Outbox) -> io::Result<()> {
    if let Some(tls) = tls {
        return tls.write(stream, outbox);
    }
    while !outbox.is_empty() {
        let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
        let filled = outbox.fill(&mut slices);
        match stream.try_write_vectored(&slices[..filled]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => outbox.advance(written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Drop for Sending {
    /// Closing the stream is enough; the write half would shut it down first, which is a system call of its own.
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.forget();
        }
    }
}
