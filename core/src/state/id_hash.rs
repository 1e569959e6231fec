//! Hashing of keys that this server made itself.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps by connection and by timer. Clients cannot choose these keys, so the standard hasher, which keeps chosen
/// keys from colliding and costs more, is not needed.
pub(crate) type IdHash = BuildHasherDefault<IdHasher>;

/// Multiplies and folds each word.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

/// Odd, and half of its bits are set: 2 to the 64th over the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0.rotate_left(23) ^ word ^ FACTOR) * u128::from(FACTOR);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn neighbours_are_spread() {
        let hashes: Vec<u64> = (0u32..4096).map(|id| IdHash::default().hash_one((id, id % 3))).collect();
        let low: HashSet<u64> = hashes.iter().map(|hash| hash & 0xfff).collect();
        let high: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        // Chance alone leaves a bit more than a third of the places empty.
        assert!(low.len() > 2300, "{} places", low.len());
        assert_eq!(high.len(), 128);
    }
}
