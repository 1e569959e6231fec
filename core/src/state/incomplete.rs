//! What connections hold of messages that are not complete.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::interface::connection_id::ConnectionId;
use crate::state::id_hash::IdHash;

/// Bytes by connection, of those that hold enough to be counted.
#[derive(Default)]
pub(crate) struct IncompleteMessages {
    held: HashMap<ConnectionId, usize, IdHash>,
    total: usize,
}

impl IncompleteMessages {
    /// What all connections hold.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// The connection holds so many bytes now.
    pub(crate) fn set(&mut self, id: ConnectionId, bytes: usize) {
        let before = match bytes {
            0 => self.held.remove(&id),
            _ => self.held.insert(id, bytes),
        };
        self.total = self.total - before.unwrap_or(0) + bytes;
    }

    /// The connection that holds the most, and how much.
    pub(crate) fn largest(&self) -> Option<(ConnectionId, usize)> {
        let by_size = |(id, bytes): &(&ConnectionId, &usize)| (**bytes, Reverse(id.to_bits()));
        self.held.iter().max_by_key(by_size).map(|(id, bytes)| (*id, *bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_what_each_holds_now() {
        let mut messages = IncompleteMessages::default();
        let [a, b] = [1, 2].map(ConnectionId::from_bits);
        for (id, bytes, total, largest) in [
            (a, 5, 5, Some((a, 5))),
            (b, 7, 12, Some((b, 7))),
            (a, 7, 14, Some((a, 7))),
            (b, 0, 7, Some((a, 7))),
            (b, 0, 7, Some((a, 7))),
            (a, 0, 0, None),
        ] {
            messages.set(id, bytes);
            assert_eq!((messages.total(), messages.largest()), (total, largest));
        }
    }
}
