//! Clients that are not read for a time, as the control API asks.

use super::super::Engine;
use super::link::Link;
use crate::interface::connection_id::ConnectionId;
use crate::state::connection::Connection;
use crate::time::Now;

impl Engine {
    /// Stops reading open connections for so many ms, counted from now: how many.
    pub(in crate::engine) fn pause_reading(&mut self, now: Now, ids: &[ConnectionId], timeout: u64) -> usize {
        let open = |id: &&ConnectionId| self.state.connections.get(**id).is_some_and(Connection::is_open);
        let open: Vec<ConnectionId> = ids.iter().filter(open).copied().collect();
        if open.is_empty() {
            return 0;
        }
        self.faults_mut();
        let Some(faults) = &mut self.faults else { return 0 };
        for &id in &open {
            let Some(connection) = self.state.connections.get(id) else { continue };
            let link = faults.links.entry(id).or_insert_with(|| Box::new(Link::to(connection)));
            link.reading.paused_until = Some(now.instant + timeout);
            faults.touched.push(id);
        }
        open.len()
    }

    /// Reads connections again that were paused: how many there were.
    pub(in crate::engine) fn resume_reading(&mut self, now: Now, ids: &[ConnectionId]) -> usize {
        ids.iter().filter(|id| self.read_on(now, **id)).count()
    }

    /// Whether a connection is not read, for whatever reason.
    pub(in crate::engine) fn is_reading_paused(&self, connection: &Connection) -> bool {
        self.between(connection.id)
            .map_or_else(|| connection.inbox.pause.is_on(), |link| link.reading.is_paused)
    }

    /// Whether a client may be silent because it is not heard, or waits for what it is not told.
    pub(in crate::engine) fn is_kept_silent(&self, id: ConnectionId) -> bool {
        self.between(id).is_some_and(|link| link.held() > 0 || link.reading.paused_until.is_some())
    }

    /// Whether something lies between the engine and a client that keeps the client's pongs away.
    pub(in crate::engine) fn keeps_pongs(&self, id: ConnectionId) -> bool {
        self.between(id).is_some_and(|link| link.reading.is_paused)
    }

    /// Whether a close frame waits behind a message that is held.
    pub(in crate::engine) fn holds_close(&self, id: ConnectionId) -> bool {
        self.between(id).is_some_and(|link| link.sent.held() > 0)
    }

    /// The pause of a connection is over. False: there was none.
    pub(super) fn read_on(&mut self, now: Now, id: ConnectionId) -> bool {
        let Some(link) = self.faults.as_mut().and_then(|faults| faults.link(id)) else { return false };
        if link.reading.paused_until.take().is_none() {
            return false;
        }
        if let Some(faults) = &mut self.faults {
            faults.touched.push(id);
        }
        if let Some(connection) = self.state.connections.get_mut(id) {
            connection.inactivity.touch(now.instant);
        }
        true
    }
}
