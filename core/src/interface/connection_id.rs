//! The handle of a connection.

/// A connection's handle, made by the host before the opening handshake ([`ConnectionIds`]).
///
/// The slot is small and reused, so that hosts and the engine can keep connections in plain vectors; the
/// generation tells two connections of one slot apart, so a late command can never reach another client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    slot: u32,
    generation: u32,
}

impl ConnectionId {
    /// The index for a vector of connections.
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// The handle as one number, for crossing into JavaScript as two `u32`.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// The inverse of [`to_bits`](Self::to_bits).
    pub fn from_bits(bits: u64) -> Self {
        Self { slot: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// Hands out [`ConnectionId`]s. A slot is reused once the engine said
/// [`Effect::Removed`](crate::Effect::Removed).
#[derive(Debug, Default)]
pub struct ConnectionIds {
    generations: Vec<u32>,
    free: Vec<u32>,
}

impl ConnectionIds {
    /// An id that no other connection has at the moment.
    pub fn allocate(&mut self) -> ConnectionId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.generations.push(0);
            (self.generations.len() - 1) as u32
        });
        ConnectionId { slot, generation: self.generations[slot as usize] }
    }

    /// Frees an id's slot. Releasing an id twice does nothing.
    pub fn release(&mut self, id: ConnectionId) {
        if let Some(generation) = self.generations.get_mut(id.slot())
            && *generation == id.generation
        {
            *generation = generation.wrapping_add(1);
            self.free.push(id.slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_slot_comes_back_with_another_generation() {
        let mut ids = ConnectionIds::default();
        let (first, second) = (ids.allocate(), ids.allocate());
        assert_ne!(first, second);
        ids.release(first);
        ids.release(first);
        let third = ids.allocate();
        assert_eq!(third.slot(), first.slot());
        assert_ne!(third, first);
        assert_ne!(ids.allocate().slot(), third.slot());
        assert_eq!(ConnectionId::from_bits(third.to_bits()), third);
    }
}
