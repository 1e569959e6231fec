//! Outgoing connections of the connection in focus, and the opening handshake that waits for one.

use std::sync::Arc;

use http::StatusCode;

use super::Context;
use crate::interface::upstream::{Dial, UpstreamId};
use crate::message::{CloseFrame, Message};
use crate::protocol::Pushed;
use crate::state::Owner;

impl Context<'_> {
    /// Opens an outgoing connection for the connection in focus, and closes it when that one ends. `None`: the
    /// connection in focus is not open, or has 100 of them already.
    ///
    /// The client's messages wait until the outgoing connection has opened or failed, and while
    /// [`max_queued`](Dial::max_queued) bytes of what was sent on it are not taken. Messages that come on it wait for
    /// hooks, and while the client does not read if the route's [`Overflow`](crate::protocol::Overflow) is `Pause`.
    pub fn dial(&mut self, dial: Dial) -> Option<UpstreamId> {
        let owner = self.connection().filter(|connection| connection.may_dial())?.id();
        self.state.dial(Owner::Handler(owner), dial, self.now, self.effects)
    }

    /// Sends on an outgoing connection that has opened. The result is `Full` from [`max_queued`](Dial::max_queued)
    /// bytes on, and `Dropped` from twice as many on or when it is not open. A handler that only passes on what its
    /// client sends can ignore it, as the client is paused in time.
    pub fn send_upstream(&mut self, upstream: UpstreamId, message: Message) -> Pushed {
        self.state.send_upstream(upstream, message, self.now, self.effects)
    }

    /// Closes an outgoing connection when what was sent is written. No more of its events come. `None` closes without a
    /// code; 1006 drops the transport without a close frame.
    pub fn close_upstream(&mut self, upstream: UpstreamId, frame: Option<CloseFrame>) {
        self.state.close_upstream(upstream, frame, self.now, self.effects);
    }

    /// Answers an opening handshake that was left to the other side of an outgoing connection
    /// ([`Handler::delays_handshake`](crate::Handler::delays_handshake)): with 101 and this subprotocol.
    pub fn accept(&mut self, subprotocol: Option<&str>) {
        if let Some(id) = self.id {
            self.state.delayed.push((id, Ok(subprotocol.map(Arc::from))));
        }
    }

    /// Answers such an opening handshake with an HTTP status.
    pub fn reject(&mut self, status: StatusCode) {
        if let Some(id) = self.id {
            self.state.delayed.push((id, Err(status)));
        }
    }

    /// Leaves the answer to such an opening handshake for later: for the end of [`Handler::file_part`](crate::Handler::file_part)
    /// or of a [`timeout`](crate::Handler::timeout) of the route, where [`accept`](Self::accept) and [`reject`](Self::reject)
    /// are called [with](Self::with) the connection in focus.
    pub fn postpone(&mut self) {
        self.state.is_postponed = true;
    }

    /// The client's first offer among the subprotocols of the route, while its opening handshake is not answered.
    pub fn usual_subprotocol(&self) -> Option<String> {
        self.offered_subprotocols().into_iter().next()
    }

    /// The subprotocols that the client offers and the route's settings allow, while its opening handshake is not
    /// answered.
    pub fn offered_subprotocols(&self) -> Vec<String> {
        let allowed = &self.state.routes[self.route].settings.subprotocols;
        let offered = self.connection().and_then(|connection| connection.handshake.as_ref());
        let offered = offered.map(|handshake| handshake.protocols.as_slice()).unwrap_or_default();
        offered.iter().filter(|name| allowed.iter().any(|it| it == "*" || it == *name)).cloned().collect()
    }
}
