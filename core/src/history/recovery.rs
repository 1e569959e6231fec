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

    /// A client has left a room: whatever it knows of it, it says when it comes again.
    pub(crate) fn has_left(&mut self, id: ConnectionId, room: &str) {
        if let Some(follower) = self.followers.get_mut(&id) {
            follower.set_ahead(room, Numbers::default());
            follower.set_before(room, Numbers::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chacha20::ChaCha8Rng;
    use chacha20::rand_core::SeedableRng;

    use super::super::HistorySettings;
    use super::*;
    use crate::cluster::Node;
    use crate::interface::connection_id::ConnectionIds;
    use crate::time::{Instant, Now, WallTime};

    #[test]
    fn what_a_client_knows_of_a_room_is_forgotten_when_it_leaves() {
        let now = Now { instant: Instant::from_ms(1), wall: WallTime::from_us(1_763_000_000_000_000) };
        let mut random = ChaCha8Rng::from_seed([1; 32]);
        let (mut here, mut there) =
            (History::new(HistorySettings::default()), History::new(HistorySettings::default()));
        let mut other_random = ChaCha8Rng::from_seed([2; 32]);
        let node = Node { name: "there".into(), incarnation: 1 };
        let room = [Arc::from("a")];
        let offset = there.next(now, &mut other_random);
        here.heard(now, &node, offset);
        here.keep(now, offset, &room, &"1".into());
        // It has heard more there than has come here.
        let ahead = format!("{:016x}:9", offset.epoch.0);
        let id = ConnectionIds::default().allocate();
        here.recover(id, "a", Some(&ahead));
        assert!(here.joined(now, id, "a", true, &mut random).is_some());
        assert!(here.is_ahead(id));
        here.has_left(id, "a");
        assert!(!here.is_ahead(id) && here.is_follower(id));
        here.recover(id, "a", Some(&ahead));
        here.joined(now, id, "a", true, &mut random);
        // Or says that it knows nothing.
        here.recover(id, "a", None);
        assert!(!here.is_ahead(id));
    }
}
