//! The receiving half of a connection's TCP stream: the connection's own task.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use switchboard_core::protocol::{Event, Reader};
use switchboard_core::{ConnectionId, Input};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;

use crate::flush::sending::NextStep;
use crate::flush::sending_half::SendingHalf;
use crate::host::{ConnectionGuard, Turn};

/// How much one read takes at most.
const SCRATCH_BYTES: usize = 256 * 1024;

/// Replies to a larger read than this do not wait for those of other connections.
const MAX_CORKED_BYTES: usize = 8 * 1024;

thread_local! {
    /// The bytes of one read. Shared, so that idle connections hold no buffer.
    static SCRATCH: RefCell<Scratch> =
        RefCell::new(Scratch { bytes: vec![0; SCRATCH_BYTES].into_boxed_slice(), decrypted: Vec::new(), events: Vec::new() });
}

struct Scratch {
    bytes: Box<[u8]>,
    /// The same bytes decrypted, where there is TLS.
    decrypted: Vec<u8>,
    events: Vec<Event>,
}

/// The result of a read.
#[derive(PartialEq, Eq)]
enum Read {
    Some,
    /// The stream has ended or failed.
    End,
}

/// Reads one connection to its end. When it is dropped, the engine is told that the transport is gone.
pub(crate) struct Receiver {
    presence: ConnectionGuard,
    socket: Arc<SendingHalf>,
    stream: OwnedReadHalf,
    reader: Reader,
    /// This task has to write what was corked.
    has_corked: bool,
    /// The stream is encrypted.
    is_encrypted: bool,
}

impl Receiver {
    pub(crate) fn new(
        presence: ConnectionGuard,
        socket: Arc<SendingHalf>,
        stream: OwnedReadHalf,
        reader: Reader,
        is_encrypted: bool,
    ) -> Self {
        Self { presence, socket, stream, reader, has_corked: false, is_encrypted }
    }

    /// Takes the bytes that came along with the opening handshake.
    pub(crate) fn receive(&mut self, mut bytes: Vec<u8>) {
        if !bytes.is_empty() {
            let mut events = Vec::new();
            self.reader.receive(&mut bytes, &mut events);
            self.report(&mut events, true);
        }
    }

    /// Closes this server's side.
    pub(crate) fn shutdown(&mut self) {
        self.uncork();
        self.socket.shutdown();
    }

    /// Resets the stream when it is closed.
    pub(crate) fn reset(&mut self) {
        self.uncork();
        self.socket.reset();
    }

    /// Reads and reports until there is something else to do.
    pub(crate) fn poll_read_all(&mut self, context: &mut Context<'_>) -> Poll<NextStep> {
        self.uncork();
        let polled = self.poll_read_ready(context);
        if self.has_corked {
            // Continues after all tasks that are ready.
            context.waker().wake_by_ref();
        }
        polled
    }

    fn poll_read_ready(&mut self, context: &mut Context<'_>) -> Poll<NextStep> {
        loop {
            match self.socket.poll_next_step(context) {
                NextStep::Read => {}
                // The client's close frame came before, or it broke the protocol: there is nothing to wait for.
                NextStep::AwaitClose if self.reader.is_finished() => {
                    return Poll::Ready(NextStep::Disconnect);
                }
                NextStep::AwaitClose => self.reader.expect_close(),
                NextStep::Wait => return Poll::Pending,
                // What the client says matters no more, and what it has begun to say is let go.
                NextStep::WriteClose => {
                    self.reader.expect_close();
                    return Poll::Pending;
                }
                NextStep::Drained => {
                    let (socket, id) = (&self.socket, self.socket.id());
                    self.presence.host().turn(|turn| {
                        // Asked within the turn, as an earlier one may have filled it again.
                        if socket.take_drained() {
                            turn.input(Input::Drained { id });
                        }
                    });
                    continue;
                }
                end => return Poll::Ready(end),
            }
            if self.reader.has_undecoded() {
                let mut events = SCRATCH.with_borrow_mut(|scratch| std::mem::take(&mut scratch.events));
                self.reader.resume(&mut events);
                self.report(&mut events, true);
                SCRATCH.with_borrow_mut(|scratch| scratch.events = events);
            } else if self.reader.is_finished() || !self.reader.wants_input() {
                // A peer that failed is read no more (RFC 6455 section 7.1.7); the engine or the close timeout ends it.
                return Poll::Pending;
            } else if ready!(self.poll_read(context)) == Read::End {
                return Poll::Ready(NextStep::Drop);
            }
            if self.reader.has_undecoded() {
                // Decoding what a peer sent at once may take long: others come first.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Reads once and reports what came.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Read> {
        let mut is_large = false;
        let events = SCRATCH.with_borrow_mut(|scratch| {
            let length = self.socket.max_read().min(SCRATCH_BYTES);
            let mut buffer = ReadBuf::new(&mut scratch.bytes[..length]);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(None);
            }
            is_large = buffer.filled().len() > MAX_CORKED_BYTES;
            let mut events = std::mem::take(&mut scratch.events);
            let mut received = buffer.filled_mut();
            if self.is_encrypted {
                scratch.decrypted.clear();
                let ended = self.socket.decrypt(received, &mut scratch.decrypted);
                if ended.unwrap_or(true) && scratch.decrypted.is_empty() {
                    return Poll::Ready(None);
                }
                received = &mut scratch.decrypted;
            }
            self.reader.receive(received, &mut events);
            Poll::Ready(Some(events))
        });
        let Some(mut events) = ready!(events) else {
            return Poll::Ready(Read::End);
        };
        self.report(&mut events, is_large);
        SCRATCH.with_borrow_mut(|scratch| scratch.events = events);
        Poll::Ready(Read::Some)
    }

    /// Reads to the end of the stream and ignores what comes, until it is more than the reader wants. Then nothing more is
    /// read, and what the client sends stays in the kernels' buffers.
    pub(crate) fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.reader.expect_close();
        self.reader.resume(&mut Vec::new());
        loop {
            if self.socket.poll_next_step(context) == NextStep::Drop {
                return Poll::Ready(());
            }
            if !self.reader.wants_input() {
                return Poll::Pending;
            }
            let is_end = SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(&mut scratch.bytes);
                let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
                self.reader.receive(buffer.filled_mut(), &mut Vec::new());
                Poll::Ready(read.is_err() || buffer.filled().is_empty())
            });
            if ready!(is_end) {
                return Poll::Ready(());
            }
        }
    }

    /// One turn for everything that a read brought. Replies to a large read are written at once, while they are in the
    /// processor's caches.
    fn report(&mut self, events: &mut Vec<Event>, is_large: bool) {
        self.socket.add_received(self.reader.buffered(), self.reader.take_traffic());
        let buffered = self.reader.take_buffered();
        if events.is_empty() && buffered.is_none() {
            return;
        }
        let id = self.socket.id();
        let tell = |turn: &mut Turn<'_>| {
            for event in events.drain(..) {
                turn.input(input(id, event));
            }
            if let Some(bytes) = buffered {
                turn.input(Input::Buffered { id, bytes });
            }
        };
        if is_large {
            self.presence.host().turn(tell);
        } else {
            self.has_corked |= self.presence.host().corked_turn(tell);
        }
    }

    fn uncork(&mut self) {
        if std::mem::take(&mut self.has_corked) {
            self.presence.host().uncork();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.uncork();
        // What came after the end was not reported.
        self.socket.add_received(0, self.reader.take_traffic());
    }
}

fn input(id: ConnectionId, event: Event) -> Input {
    match event {
        Event::Message(message) => Input::Message { id, message },
        Event::Ping(payload) => Input::Ping { id, payload },
        Event::Pong(payload) => Input::Pong { id, payload },
        Event::Close(frame) => Input::CloseReceived { id, frame },
        Event::Violation(violation) => Input::Violated { id, violation },
    }
}
