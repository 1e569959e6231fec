//! A connection that is received from in a loop.

use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use switchboard_core::{CloseCause, CloseFrame, Message};

use super::Peer;
use crate::host::user_code::Pending;

/// One connection in the hands of a [`SocketTask`](crate::SocketTask): it receives, and does everything that a [`Peer`]
/// does. To send from elsewhere, clone the [`peer`](Self::peer).
pub struct Socket {
    peer: Peer,
    inlet: Arc<Inlet>,
}

impl Socket {
    pub(crate) fn new(peer: Peer, inlet: Arc<Inlet>) -> Self {
        Self { peer, inlet }
    }

    /// The next message, in the order in which the client sent them. `None`: the connection has ended, whoever ended it,
    /// and everything that came before is received. From then on it is always `None`; what is broadcast still reaches
    /// the others until the socket is dropped, for at most [`handler_timeout`](crate::Limits::handler_timeout).
    ///
    /// Nothing is lost when the future is dropped before it is ready, as in `tokio::select!`.
    pub async fn recv(&mut self) -> Option<Message> {
        poll_fn(|context| self.inlet.poll(context)).await
    }

    /// The handle that other tasks can have.
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

/// Where messages go over from the engine to the task. There is one at a time: the engine has the others, and counts
/// them.
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
    /// Nobody receives any more.
    is_dropped: bool,
    waker: Option<Waker>,
}

/// How the connection ended.
struct End {
    frame: CloseFrame,
    cause: CloseCause,
    /// Answered when nobody receives any more.
    pending: Option<Pending>,
}

impl Inlet {
    /// Offers a message. Where nobody receives any more it counts as received.
    pub(super) fn offer(&self, message: Message, pending: Pending) {
        let mut state = self.lock();
        if state.is_dropped {
            drop(state);
            return pending.done_soon();
        }
        state.next = Some((message, pending));
        wake(state);
    }

    /// Says that nothing more comes.
    pub(super) fn end(&self, frame: CloseFrame, cause: CloseCause, pending: Pending) {
        let mut state = self.lock();
        if state.is_dropped {
            drop(state);
            return pending.done_soon();
        }
        state.end = Some(End { frame, cause, pending: Some(pending) });
        wake(state);
    }

    /// The function has returned, and its result was good. Closes, unless the socket lives on in another task.
    pub(super) fn returned(&self, peer: &Peer) {
        let mut state = self.lock();
        state.has_returned = true;
        if state.is_dropped {
            drop(state);
            let _ = peer.close(1000, "");
        }
    }

    /// Nobody shall receive any more.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_dropped = true;
        let (next, end) = (state.next.take(), state.end.as_mut().and_then(|end| end.pending.take()));
        drop(state);
        // Only now: an answer takes a turn, and that may bring the next message.
        if let Some((_, pending)) = next {
            pending.done();
        }
        if let Some(pending) = end {
            pending.done();
        }
    }

    /// The socket is gone. True: its function had returned before, so that nobody else closes the connection.
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
