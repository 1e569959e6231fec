//! The members of one room, in the order they came.

use std::collections::HashMap;

use crate::interface::connection_id::ConnectionId;
use crate::state::id_hash::IdHash;

/// A set that keeps the order of arrival. Inserting and removing take constant time.
///
/// Removing leaves a gap. When there are more gaps than members they are closed, which takes constant time for each
/// removal, on average.
#[derive(Debug, Default)]
pub(crate) struct Members {
    order: Vec<Option<ConnectionId>>,
    /// The position of each in the order.
    places: HashMap<ConnectionId, u32, IdHash>,
}

impl Members {
    /// Fewer gaps than this are not worth closing.
    const FEW: usize = 16;

    /// Adds one at the end; one that is in the set already stays in place.
    pub(crate) fn insert(&mut self, id: ConnectionId) {
        // There are no more ids than this.
        let Ok(place) = u32::try_from(self.order.len()) else { return };
        if *self.places.entry(id).or_insert(place) == place {
            self.order.push(Some(id));
        }
    }

    /// Removes one, if it is there.
    pub(crate) fn remove(&mut self, id: ConnectionId) {
        let Some(place) = self.places.remove(&id) else { return };
        self.order[place as usize] = None;
        if self.order.len() > 2 * self.places.len() + Self::FEW {
            self.close_gaps();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = ConnectionId> {
        self.order.iter().flatten().copied()
    }

    fn close_gaps(&mut self) {
        self.order.retain(Option::is_some);
        for (place, id) in (0..).zip(self.order.iter().flatten()) {
            self.places.insert(*id, place);
        }
        self.order.shrink_to(2 * self.order.len());
        self.places.shrink_to(2 * self.places.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::connection_id::ConnectionIds;

    #[test]
    fn the_order_of_arrival_survives_departures() {
        let mut ids = ConnectionIds::default();
        let all: Vec<_> = (0..200).map(|_| ids.allocate()).collect();
        let mut members = Members::default();
        all.iter().for_each(|id| members.insert(*id));
        all.iter().step_by(3).for_each(|id| members.remove(*id));
        all.iter().step_by(2).for_each(|id| members.remove(*id));
        members.remove(all[0]);
        let mut left: Vec<_> = (0..200).filter(|n| n % 2 != 0 && n % 3 != 0).map(|n| all[n]).collect();
        assert!(members.iter().eq(left.iter().copied()));
        members.insert(all[0]);
        members.insert(left[0]);
        left.push(all[0]);
        assert!(members.iter().eq(left.iter().copied()));
        assert_eq!(members.len(), left.len());
        left.iter().for_each(|id| members.remove(*id));
        assert!(members.is_empty());
        assert!(members.order.len() <= Members::FEW);
    }
}
