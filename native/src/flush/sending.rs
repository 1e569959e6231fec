//! What waits to be written to one connection, and the stream that takes it.

use std::io;
use std::task::{Context, Poll, Waker};

use switchboard_core::protocol::{Burst, Damage, Outbox, Overflow, Pushed, Writer};
use switchboard_core::{CloseFrame, Message};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use crate::flush::gather::gather;
use crate::flush::kernel::unacknowledged_bytes;
use crate::flush::tls_session::TlsSession;

/// The outbox and where it goes.
pub(crate) struct Sending {
    /// None until the 101 is written.
    pub(super) stream: Option<OwnedWriteHalf>,
    pub(super) tls: Option<Box<TlsSession>>,
    pub(super) writer: Writer,
    overflow: Overflow,
    pub(super) ending: Ending,
    /// A turn is going to flush.
    pub(super) is_touched: bool,
    /// The first frames are being written together with those of other sockets.
    pub(super) is_writing: bool,
    /// The engine wants no more to be read for now.
    is_paused: bool,
    /// The engine was told that the outbox is full, where the policy is to wait.
    is_full: bool,
    /// The engine has to be told that it no longer is.
    pub(super) is_drained: bool,
    /// There is something for the connection's own task.
    pub(super) is_owner_due: bool,
    pub(super) owner: Option<Waker>,
}

/// How this side ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// It has not begun.
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
    /// It has reached its limit, and the policy is to wait.
    Full,
    /// It is over its limit, and the policy is to close.
    Overflowed,
}

/// What the connection's own task is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Read.
    Read,
    /// The close frame is written: read on for the client's.
    AwaitClose,
    /// The close frame is not written yet: wait to be woken.
    WriteClose,
    /// Wait to be woken.
    Wait,
    /// Tell the engine that there is room in the outbox again.
    Drained,
    /// Everything is written: close the stream politely.
    Disconnect,
    /// Drop the stream.
    Drop,
}

impl Sending {
    /// An outbox whose stream is still with HTTP.
    pub(super) fn new(mut writer: Writer, overflow: Overflow) -> Self {
        writer.outbox().set_blocked(true);
        Self {
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
        }
    }

    /// Queues messages: what the engine has to be told of the outbox, and how many messages were dropped.
    pub(super) fn send(&mut self, burst: &mut Burst) -> (Fill, usize) {
        let pushed = self.push(burst);
        self.filled(pushed)
    }

    /// Queues a message in a frame that is broken on purpose, with the same result.
    pub(crate) fn send_damaged(&mut self, message: &Message, damage: Damage) -> (Fill, usize) {
        let pushed = self.writer.send_damaged(message, damage);
        self.filled(pushed)
    }

    fn filled(&mut self, pushed: Pushed) -> (Fill, usize) {
        let fill = match (pushed, self.overflow) {
            (Pushed::Full, Overflow::Pause) if !std::mem::replace(&mut self.is_full, true) => {
                // The engine hears that it is full again; that it was not in between need not be reported.
                self.is_drained = false;
                Fill::Full
            }
            (Pushed::Full, Overflow::Close) => Fill::Overflowed,
            _ => Fill::HasRoom,
        };
        let dropped = match pushed {
            Pushed::Queued => 0,
            Pushed::Dropped(_) | Pushed::Full => self.writer.outbox().take_dropped(),
        };
        (fill, dropped)
    }

    /// Decrypts what came from the stream, where there is TLS. True: the client has ended the TLS connection.
    pub(super) fn decrypt(&mut self, encrypted: &[u8], decrypted: &mut Vec<u8>) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else { return Ok(false) };
        let read = tls.read(encrypted, decrypted);
        // TLS itself may have something to send: new keys, or what the client did wrong.
        if tls.is_pending() && !self.is_writing {
            self.write();
        }
        read
    }

    /// Writes if that was blocked; what the connection's own task is to do next, which `context` wakes when that changes.
    pub(super) fn poll_next_step(&mut self, context: &mut Context<'_>) -> NextStep {
        while self.writer.outbox_ref().is_blocked() && self.ending != Ending::Terminate {
            let Some(stream) = self.stream() else { break };
            match stream.poll_write_ready(context) {
                Poll::Pending => break,
                Poll::Ready(Ok(())) => self.write(),
                Poll::Ready(Err(_)) => self.ending = Ending::Terminate,
            }
        }
        self.is_owner_due = false;
        match &mut self.owner {
            Some(owner) => owner.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        match self.ending {
            Ending::Terminate => NextStep::Drop,
            Ending::Disconnect if !self.has_unwritten() => NextStep::Disconnect,
            Ending::Disconnect => NextStep::Wait,
            // The client cannot answer a close frame before it is written.
            Ending::No if self.writer.is_closed() => match self.writer.outbox_ref().is_empty() {
                true => NextStep::AwaitClose,
                false => NextStep::WriteClose,
            },
            Ending::No if self.is_drained => NextStep::Drained,
            Ending::No if self.is_paused => NextStep::Wait,
            Ending::No => NextStep::Read,
        }
    }

    /// Closes this direction of the stream, which the client sees as its end.
    pub(super) fn shutdown(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        // For TCP this never waits; a stream that is gone does not need it.
        if let Some(stream) = &mut self.stream {
            if let Some(tls) = &mut self.tls {
                tls.close(stream);
            }
            let _ = tokio::io::AsyncWrite::poll_shutdown(std::pin::Pin::new(stream), &mut context);
        }
    }

    pub(crate) fn ping(&mut self, payload: &[u8]) {
        self.writer.ping(payload);
    }

    pub(crate) fn pong(&mut self, payload: &[u8]) {
        self.writer.pong(payload);
    }

    pub(crate) fn close(&mut self, frame: Option<&CloseFrame>) {
        self.writer.close(frame);
        // From now on only the client's close frame is read.
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

    /// How many bytes the client has not taken, in the outbox and in the kernel.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.writer.outbox_ref().queued_bytes() + self.stream().map_or(0, unacknowledged_bytes)
    }

    pub(super) fn stream(&self) -> Option<&TcpStream> {
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

    /// Writes what the stream takes.
    pub(super) fn write(&mut self) {
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
        match gather(outbox, |frames| stream.try_write_vectored(frames)) {
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
