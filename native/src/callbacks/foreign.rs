//! Functions in another language than Rust.

use std::sync::Arc;

use switchboard_core::javascript::HookSet;
use switchboard_core::{ConnectionId, Hook};

use super::peer::PeerData;
use crate::host::Host;
use crate::host::user_code::Pending;

/// The functions of one route, and what runs them.
pub(crate) trait Foreign: Send + Sync {
    /// Which functions there are.
    fn set(&self) -> &HookSet;

    /// Runs what the route does when the server starts.
    fn start(&self, host: &Arc<Host>);

    /// Runs a function and answers it, after the hook before it. It must not wait for anything here.
    fn run(&self, host: &Arc<Host>, peer: &Arc<PeerData>, hook: Hook, pending: Pending);

    /// The transport of a connection is gone for which it has run something.
    fn gone(&self, id: ConnectionId);

    /// The engine has removed such a connection.
    fn forget(&self, id: ConnectionId);
}
