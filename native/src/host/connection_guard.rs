//! Whose end is reported.

use std::sync::Arc;

use switchboard_core::ConnectionId;

use super::Host;

/// Represents a client from its request to the end of its transport. Dropping it tells the engine, so that every end is
/// reported exactly once, whichever task has the client.
pub(crate) struct ConnectionGuard {
    pub(super) host: Arc<Host>,
    pub(super) id: Option<ConnectionId>,
}

impl ConnectionGuard {
    /// The client was refused, which the engine knows already.
    pub(crate) fn refused(mut self) {
        self.id = None;
    }

    pub(crate) fn host(&self) -> &Arc<Host> {
        &self.host
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.host.turn(|turn| turn.state.disconnected(turn.now, id));
        }
    }
}
