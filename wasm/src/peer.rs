//! One open connection: its codec, and how its socket fares.

use switchboard_core::control::SocketCounts;
use switchboard_core::protocol::{Overflow, Pushed, Reader, SocketOptions, Traffic, WebSocket};
use switchboard_core::{ConnectionId, Input};

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
    /// The engine was told that the outbox is full, where the policy is to wait.
    pub(crate) is_full: bool,
    /// The engine wants to hear no more of it for now.
    pub(crate) is_stopped: bool,
    /// JavaScript was told not to read.
    pub(crate) is_paused: bool,
    /// Its reader is to be resumed.
    pub(crate) is_undecoded: bool,
    /// The socket is closed, but not all is decoded that it brought.
    pub(crate) is_gone: bool,
    pub(crate) state: PeerState,
    /// What has come from the client.
    pub(crate) received: Traffic,
}

/// Where the socket stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerState {
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
            is_full: false,
            is_stopped: false,
            is_paused: false,
            is_undecoded: false,
            is_gone: false,
            state: PeerState::Open,
            received: Traffic::default(),
        }
    }

    /// The reader, which looks for no more than a close frame once this side has sent its own.
    pub(crate) fn reader(&mut self) -> &mut Reader {
        if self.socket.writer.is_closed() {
            self.socket.reader.expect_close();
        }
        &mut self.socket.reader
    }

    /// What it holds, and what has passed on it.
    pub(crate) fn counts(&self) -> SocketCounts {
        let WebSocket { reader, writer } = &self.socket;
        SocketCounts {
            undecoded: reader.buffered(),
            queued: writer.outbox_ref().queued_bytes(),
            received: self.received,
            sent: writer.traffic(),
            dropped_messages: writer.outbox_ref().dropped_messages(),
        }
    }

    /// Whether what the client says still matters to anybody.
    pub(crate) fn takes_messages(&self) -> bool {
        self.state == PeerState::Open && !self.socket.writer.is_closed()
    }

    /// Whether what is decoded now is handled or thrown away, and does not have to wait.
    pub(crate) fn is_handled(&self) -> bool {
        !self.takes_messages() || !self.is_stopped
    }

    /// Whether the socket is to be read.
    pub(crate) fn wants_input(&self) -> bool {
        let reader = &self.socket.reader;
        match self.state {
            PeerState::Open if self.socket.writer.is_closed() => {
                // Before our close frame is written, the client cannot answer it.
                !self.blocked && !reader.is_finished() && reader.wants_input()
            }
            // A peer that failed is read no more (RFC 6455 section 7.1.7).
            PeerState::Open => !self.is_stopped && !reader.has_undecoded() && !reader.is_finished(),
            PeerState::Ending => !self.blocked,
            // It is thrown away, within bounds, so that no reset keeps the client from reading our close frame.
            PeerState::Ended => reader.wants_input(),
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

    /// Whether the next message may fill the outbox, and whatever fills it is to be stopped before more comes.
    pub(crate) fn may_fill(&self) -> bool {
        self.blocked && self.overflow == Overflow::Pause
    }

    /// What the engine has to be told after messages were queued.
    pub(crate) fn filled(&mut self, pushed: Pushed) -> impl Iterator<Item = Input> {
        let id = self.id;
        let messages = match pushed {
            Pushed::Queued => 0,
            Pushed::Dropped(_) | Pushed::Full => self.socket.writer.outbox().take_dropped(),
        };
        let filled = match (pushed, self.overflow) {
            (Pushed::Full, Overflow::Pause) if !std::mem::replace(&mut self.is_full, true) => {
                Some(Input::Full { id })
            }
            (Pushed::Full, Overflow::Close) => Some(Input::Overflowed { id }),
            _ => None,
        };
        let dropped = (messages > 0).then_some(Input::Dropped { id, messages });
        filled.into_iter().chain(dropped)
    }
}
