//! Clients that take part from some time after their opening handshake.

use super::History;
use super::position::Numbers;
use crate::interface::connection_id::ConnectionId;

impl History {
    /// Has a client take part that says how far it is in a room; the empty name: on the route. It is told what it has missed
    /// when it next is found to be there.
    pub(crate) fn recover(&mut self, id: ConnectionId, room: &str, position: Option<&str>) {
        let follower = self.followers.entry(id).or_default();
        // It may be another page than before that asks.
        follower.set_ahead(room, Numbers::default());
        // As in a query, what was no position of ours cannot be gone on from.
        let position = position.filter(|text| !text.is_empty());
        follower.set_from(room, position.map(|text| text.parse().unwrap_or_default()));
    }
}
