//! Faults that are switched on and off while the server runs.

use std::fmt;
use std::sync::Arc;

use switchboard_core::{ConfigError, FaultId, FaultList, FaultScope};

use crate::host::Host;

/// Adds faults to a running server, from [`Switchboard::faults`](crate::Switchboard::faults) to everything, from
/// [`Route::faults`](crate::Route::faults), [`Room::faults`](crate::Room::faults) or [`Peer::faults`](crate::Peer::faults) to
/// what their names say. They come on top of those of the configuration.
///
/// ```no_run
/// # fn run(server: switchboard::Server) -> Result<(), Box<dyn std::error::Error>> {
/// use switchboard::{Condition, Delay, Fault, FaultStage};
///
/// let faults = server.switchboard().faults();
/// // The next two opening handshakes are refused.
/// let on = Some(FaultStage::Open);
/// faults.add(Fault { on, refuse: Some(503), times: Some(2), ..Fault::default() })?;
/// // What is sent on paths below /chat comes late, until that is taken back.
/// let on = Some(FaultStage::Send);
/// let slow = faults.pattern("/chat/**").add(Fault { on, latency: Some(Delay::exactly(400)), ..Fault::default() })?;
/// slow.remove();
/// faults.add(Condition::Offline)?;
/// faults.clear();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Faults {
    host: Arc<Host>,
    scope: FaultScope,
}

/// Faults that were added together. They stay when this is dropped.
#[derive(Clone)]
pub struct FaultHandle {
    host: Arc<Host>,
    id: FaultId,
}

impl Faults {
    pub(crate) fn new(host: Arc<Host>, scope: FaultScope) -> Self {
        Self { host, scope }
    }

    /// The same for the connections of a route, by its pattern, or for those whose whole path matches this one.
    #[must_use]
    pub fn pattern(&self, pattern: impl Into<String>) -> Self {
        Self::new(self.host.clone(), FaultScope::Pattern(pattern.into()))
    }

    /// The same for the members of a room, of a pattern as for [`pattern`](Self::pattern).
    #[must_use]
    pub fn room(&self, pattern: impl Into<String>, room: impl Into<String>) -> Self {
        let scope = FaultScope::Room { pattern: pattern.into(), room: room.into() };
        Self::new(self.host.clone(), scope)
    }

    /// Adds faults: a [`Fault`](crate::Fault), several, or a [`Condition`](crate::Condition). They happen to open connections
    /// from now on, and to those that come. Those of a [`Peer`](crate::Peer) go with it.
    ///
    /// Fails if one of them is no fault or the pattern is none, if the connection is closed, or if there would be more than
    /// 1000.
    pub fn add(&self, faults: impl Into<FaultList>) -> Result<FaultHandle, ConfigError> {
        let id = self.host.turn(|turn| turn.add_faults(self.scope.clone(), faults.into()))?;
        Ok(FaultHandle { host: self.host.clone(), id })
    }

    /// Takes back all faults that were added, whoever they are for. Those of the configuration stay.
    pub fn clear(&self) {
        self.host.turn(|turn| turn.clear_faults());
    }
}

impl FaultHandle {
    /// Takes the faults back. What they have delayed still comes late; a connection that they have made half open is heard
    /// again. False: they are no longer there.
    pub fn remove(&self) -> bool {
        self.host.turn(|turn| turn.remove_faults(self.id))
    }

    /// Their id, as the engine names them.
    pub fn id(&self) -> FaultId {
        self.id
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl fmt::Debug for FaultHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultHandle").field("id", &self.id).finish_non_exhaustive()
    }
}
