//! The rooms of one route, and their members.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexSet;

use crate::interface::connection_id::ConnectionId;
use crate::state::id_hash::IdHash;
use crate::state::members::Members;

/// The connections of a route and the members of its rooms, in the order they came. A room exists while it has members.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    everyone: Members,
    rooms: HashMap<Arc<str>, Members>,
}

impl Rooms {
    /// Adds a connection to "everyone on the route".
    pub(crate) fn enter(&mut self, id: ConnectionId) {
        self.everyone.insert(id);
    }

    /// Puts a connection into a room; gives back the room's shared name.
    pub(crate) fn join(&mut self, id: ConnectionId, room: &str) -> Arc<str> {
        let name = self.rooms.get_key_value(room).map_or_else(|| room.into(), |(name, _)| name.clone());
        self.rooms.entry(name.clone()).or_default().insert(id);
        name
    }

    /// Takes a connection out of a room.
    pub(crate) fn leave(&mut self, id: ConnectionId, room: &str) {
        if let Some(members) = self.rooms.get_mut(room) {
            members.remove(id);
            if members.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    /// Removes a connection from the route and from the given rooms, which are all that it is in.
    pub(crate) fn exit<'a>(&mut self, id: ConnectionId, rooms: impl IntoIterator<Item = &'a Arc<str>>) {
        self.everyone.remove(id);
        for room in rooms {
            self.leave(id, room);
        }
    }

    /// How many are on the route.
    pub(crate) fn everyone_len(&self) -> usize {
        self.everyone.len()
    }

    /// Everyone on the route but `except`.
    pub(crate) fn everyone(&self, except: Option<ConnectionId>) -> Vec<ConnectionId> {
        all_but(&self.everyone, except)
    }

    /// Everyone on the route, in the order they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ConnectionId> {
        self.everyone.iter()
    }

    /// The members of any of `rooms` but `except`, each once.
    pub(crate) fn members<R: AsRef<str>>(
        &self,
        rooms: impl IntoIterator<Item = R>,
        except: Option<ConnectionId>,
    ) -> Vec<ConnectionId> {
        let mut found = rooms.into_iter().filter_map(|room| self.rooms.get(room.as_ref()));
        let Some(first) = found.next() else {
            return Vec::new();
        };
        let mut members = all_but(first, except);
        if let Some(second) = found.next() {
            let mut union: IndexSet<_, IdHash> = members.into_iter().chain(second.iter()).collect();
            union.extend(found.flat_map(Members::iter));
            members = union.into_iter().filter(|id| Some(*id) != except).collect();
        }
        members
    }

    /// How many connections are in `room`.
    pub(crate) fn len(&self, room: &str) -> usize {
        self.rooms.get(room).map_or(0, Members::len)
    }

    /// The rooms that have members, in no particular order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.rooms.keys()
    }
}

/// Allocates once: at most one connection is left out.
fn all_but(members: &Members, except: Option<ConnectionId>) -> Vec<ConnectionId> {
    let mut found = Vec::with_capacity(members.len());
    found.extend(members.iter().filter(|id| Some(*id) != except));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::connection_id::ConnectionIds;

    #[test]
    fn a_union_of_rooms_counts_everyone_once() {
        let mut ids = ConnectionIds::default();
        let [a, b, c] = [ids.allocate(), ids.allocate(), ids.allocate()];
        let mut rooms = Rooms::default();
        for (id, room) in [(a, "x"), (b, "x"), (b, "y"), (c, "y"), (b, "y")] {
            rooms.enter(id);
            rooms.join(id, room);
        }
        assert_eq!(rooms.members(["x", "y", "none"], None), [a, b, c]);
        assert_eq!(rooms.members(["x", "y"], Some(b)), [a, c]);
        assert_eq!(rooms.members(Vec::<&str>::new(), None), []);
        assert_eq!(rooms.everyone(Some(a)), [b, c]);
    }

    #[test]
    fn an_empty_room_is_gone() {
        let id = ConnectionIds::default().allocate();
        let mut rooms = Rooms::default();
        rooms.enter(id);
        let name = rooms.join(id, "x");
        rooms.exit(id, [&name]);
        assert_eq!((rooms.names().count(), rooms.everyone(None).len(), rooms.len("x")), (0, 0, 0));
    }
}
