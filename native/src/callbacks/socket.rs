//! A connection that is received from in a loop.

use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use switchboard_core::{CloseCause, CloseFrame, Message};

use super::Peer;
use crate::host::user_code::Pending;

/// The connection of a [`SocketTask`](crate::SocketTask): it receives, and does everything that a [`Peer`] does. To send
/// from another task, clone the [`peer`](Self::peer).
pub struct Socket {
    peer: Peer,
    inlet: Arc<Inlet>,
}

impl Socket {
    pub(crate) fn new(peer: Peer, inlet: Arc<Inlet>) -> Self {
        Self { peer, inlet }
    }

    /// The next message, in the order in which the client sent them. `None`: the connection has ended, from either side,
    /// and everything that came before is received. From then on it is always `None`; broadcasts still reach the others
    /// until the socket is dropped, for at most [`handler_timeout`](crate::Limits::handler_timeout).
    ///
    /// Nothing is lost when the future is dropped before it is ready, as in `tokio::select!`.
    pub async fn recv(&mut self) -> Option<Message> {
        poll_fn(|context| self.inlet.poll(context)).await
    }

    /// A handle for other tasks.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What the connection was closed with, once [`recv`](Self::recv) has given `None`: 1005 for a close frame without a
    /// code, 1006 for none.
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.inlet.lock().end.as_ref().map(|end| end.frame.clone())
    }

    /// Who ended it, once [`recv`](Self::recv) has given `None`.
    pub fn close_cause(&self) -> Option<CloseCause> {
        self.inlet.lock().end.as_ref().map(|end| end.cause)
    }
}

impl Deref for Socket {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.peer
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.inlet.dropped() {
            let _ = self.peer.close(1000, "");
        }
    }
}

/// Passes messages from the engine to the task. It holds one at a time: the others wait in the engine, which counts them.
#[derive(Default)]
pub(crate) struct Inlet {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: Option<(Message, Pending)>,
    end: Option<End>,
    /// The function has returned.
    has_returned: bool,
    /// The socket was dropped.
    is_dropped: bool,
    waker: Option<Waker>,
}

/// How the connection ended.
struct End {
    frame: CloseFrame,
    cause: CloseCause,
    /// Answered when the socket is dropped.
    pending: Option<Pending>,
}

impl Inlet {
    /// Offers a message. If the socket was dropped, it counts as received.
    pub(super) fn offer(&self, message: Message, pending: Pending) {
        let mut state = self.lock();
        if state.is_dropped {
            drop(state);
            return pending.done_soon();
        }
        state.next = Some((message, pending));
        wake(state);
    }

    /// Reports the end of the connection.
    pub(super) fn end(&self, frame: CloseFrame, cause: CloseCause, pending: Pending) {
        let mut state = self.lock();
        if state.is_dropped {
            drop(state);
            return pending.done_soon();
        }
        state.end = Some(End { frame, cause, pending: Some(pending) });
        wake(state);
    }

    /// The function has returned without an error. Closes the connection, unless another task has the socket.
    pub(super) fn returned(&self, peer: &Peer) {
        let mut state = self.lock();
        state.has_returned = true;
        if state.is_dropped {
            drop(state);
            let _ = peer.close(1000, "");
        }
    }

    /// The socket was dropped, or is not to receive any more.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_dropped = true;
        let (next, end) = (state.next.take(), state.end.as_mut().and_then(|end| end.pending.take()));
        drop(state);
        // Only now, as an answer takes a turn, which may bring the next message.
        if let Some((_, pending)) = next {
            pending.done();
        }
        if let Some(pending) = end {
            pending.done();
        }
    }

    /// The socket was dropped. True: its function had returned before, so the connection has to be closed here.
    fn dropped(&self) -> bool {
        self.abandon();
        self.lock().has_returned
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut state = self.lock();
        if let Some((message, pending)) = state.next.take() {
            drop(state);
            pending.done();
            return Poll::Ready(Some(message));
        }
        if state.end.is_some() || state.is_dropped {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
