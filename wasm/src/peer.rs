//! One open connection: its codec, and how its socket fares.

use switchboard_core::ConnectionId;
use switchboard_core::protocol::{Overflow, Pushed, SocketOptions, WebSocket};

use crate::schedule::Touched;

/// A connection that was accepted and whose socket is not closed yet.
pub(crate) struct Peer {
    pub(crate) id: ConnectionId,
    pub(crate) socket: WebSocket,
    overflow: Overflow,
    /// Whether it is among the sockets to flush.
    pub(crate) touched: Touched,
    /// The socket takes no more for now.
    pub(crate) blocked: bool,
    /// Who wants that nothing is read.
    pub(crate) pause: Pause,
    pub(crate) life: Life,
}

/// Two may ask for a pause; reading goes on when neither does.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pause {
    /// The engine: a handler is far behind.
    pub(crate) handler: bool,
    /// The outbox: the client does not read.
    pub(crate) outbox: bool,
}

impl Pause {
    pub(crate) fn is_on(self) -> bool {
        self.handler || self.outbox
    }
}

/// Where the socket stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Open, or waiting for the client's close frame.
    Open,
    /// To be ended when the outbox is empty.
    Ending,
    /// JavaScript was told to end or to drop it.
    Ended,
}

impl Peer {
    pub(crate) fn new(id: ConnectionId, options: &SocketOptions) -> Self {
        Self {
            id,
            socket: WebSocket::new(options),
            overflow: options.outbox.overflow,
            touched: Touched::No,
            blocked: false,
            pause: Pause::default(),
            life: Life::Open,
        }
    }

    /// Whether so much waits that it had better not wait for the end of the turn.
    pub(crate) fn is_ready_to_flush(&self) -> bool {
        const MUCH: usize = 1 << 16;
        !self.blocked && self.socket.writer.outbox_ref().queued_bytes() >= MUCH
    }

    /// Whether so much waits that more would be counted against a client that has not been asked to take it.
    pub(crate) fn has_to_flush(&self) -> bool {
        !self.blocked && self.socket.writer.outbox_ref().is_full()
    }

    /// Whether the message found the outbox so full that the connection is to be closed. Pauses where that is the
    /// policy instead.
    pub(crate) fn overflows(&mut self, pushed: Pushed) -> bool {
        match (pushed, self.overflow) {
            (Pushed::Full, Overflow::Pause) => {
                self.pause.outbox = true;
                false
            }
            (Pushed::Full, _) => true,
            (Pushed::Queued | Pushed::Dropped(_), _) => false,
        }
    }
}
