//! The sending half of a connection, shared by its own task and by all turns that send to it.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use switchboard_core::ConnectionId;
use switchboard_core::control::SocketCounts;
use switchboard_core::protocol::{Burst, Overflow, Traffic, Writer};
use tokio::net::tcp::OwnedWriteHalf;

use crate::flush::sending::{Fill, NextStep, Sending};
use crate::flush::tls_session::TlsSession;

/// Reading less at once costs more than it saves.
const MIN_READ: usize = 4096;

/// One connection as the turns see it. Its own task ([`Receiver`](crate::connection::receiver::Receiver)) reads, and writes
/// only after the stream was full.
pub(crate) struct SendingHalf {
    id: ConnectionId,
    max_read: usize,
    /// What the connection's own task holds of its client's bytes.
    undecoded: AtomicUsize,
    /// What that task has read.
    received: Received,
    sending: Mutex<Sending>,
}

/// [`Traffic`] that one task counts and others look at.
#[derive(Default)]
struct Received {
    messages: AtomicU64,
    bytes: AtomicU64,
    wire_bytes: AtomicU64,
}

impl SendingHalf {
    /// A socket whose stream is still with HTTP. What it is sent meanwhile waits.
    pub(crate) fn new(id: ConnectionId, writer: Writer, overflow: Overflow) -> Self {
        let max_read = match overflow {
            Overflow::Pause => writer.outbox_ref().max_bytes().max(MIN_READ),
            Overflow::Close | Overflow::DropOldest => usize::MAX,
        };
        let sending = Mutex::new(Sending::new(writer, overflow));
        Self { id, max_read, undecoded: AtomicUsize::new(0), received: Received::default(), sending }
    }

    /// The 101 is written: what waits may follow, at the next [`poll_next_step`](Self::poll_next_step).
    pub(crate) fn attach(&self, stream: OwnedWriteHalf, tls: Option<Box<TlsSession>>) {
        let mut sending = self.lock();
        sending.stream = Some(stream);
        sending.tls = tls;
    }

    /// Decrypts what came from the stream, where there is TLS. True: the client has ended the TLS connection.
    pub(crate) fn decrypt(&self, encrypted: &[u8], decrypted: &mut Vec<u8>) -> io::Result<bool> {
        self.lock().decrypt(encrypted, decrypted)
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
        let result = sending.send(burst);
        // A blocked socket is flushed by its own task.
        if !sending.is_touched && !sending.writer.outbox_ref().is_blocked() {
            sending.is_touched = true;
            touched.push(self.clone());
        }
        result
    }

    /// For the connection's own task: how many bytes it has read and not decoded yet, and what has come since the last call.
    pub(crate) fn add_received(&self, undecoded: usize, traffic: Traffic) {
        self.undecoded.store(undecoded, Ordering::Relaxed);
        // Nobody else writes here.
        let add = |count: &AtomicU64, more| {
            count.store(count.load(Ordering::Relaxed) + more, Ordering::Relaxed);
        };
        add(&self.received.messages, traffic.messages);
        add(&self.received.bytes, traffic.bytes);
        add(&self.received.wire_bytes, traffic.wire_bytes);
    }

    /// What it holds, and what has passed on it.
    pub(crate) fn counts(&self) -> SocketCounts {
        let Received { messages, bytes, wire_bytes } = &self.received;
        let [messages, bytes, wire_bytes] =
            [messages, bytes, wire_bytes].map(|count| count.load(Ordering::Relaxed));
        let sending = self.lock();
        SocketCounts {
            undecoded: self.undecoded_bytes(),
            queued: sending.writer.outbox_ref().queued_bytes(),
            received: Traffic { messages, bytes, wire_bytes },
            sent: sending.writer.traffic(),
            dropped_messages: sending.writer.outbox_ref().dropped_messages(),
        }
    }

    /// How many bytes were read and are not decoded yet.
    pub(crate) fn undecoded_bytes(&self) -> usize {
        self.undecoded.load(Ordering::Relaxed)
    }

    /// How many bytes wait in the outbox.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.lock().writer.outbox_ref().queued_bytes()
    }

    /// How many bytes the client has not taken, in the outbox and in the kernel.
    pub(crate) fn unsent_bytes(&self) -> usize {
        self.lock().unsent_bytes()
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

    /// For the connection's own task: writes if that was blocked, and says what to do next.
    pub(crate) fn poll_next_step(&self, context: &mut Context<'_>) -> NextStep {
        self.lock().poll_next_step(context)
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
            | NextStep::WriteClose
            | NextStep::Wait
            | NextStep::Drained
            | NextStep::Disconnect => Poll::Pending,
        })
        .await;
    }

    /// Closes this direction of the stream, which the client sees as its end.
    pub(crate) fn shutdown(&self) {
        self.lock().shutdown();
    }

    /// Makes the end abrupt: the kernel drops what it holds, instead of keeping it for a client that does not read.
    pub(crate) fn reset(&self) {
        if let Some(stream) = self.lock().stream() {
            let _ = stream.set_zero_linger();
        }
    }

    pub(super) fn wake_owner(mut sending: MutexGuard<'_, Sending>) {
        let owner = if std::mem::take(&mut sending.is_owner_due) { sending.owner.take() } else { None };
        drop(sending);
        if let Some(owner) = owner {
            owner.wake();
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Sending> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
