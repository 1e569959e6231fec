//! How far a client is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The most epochs that a position may have; one with more is none of ours.
const MOST: usize = 512;

/// One life of one server that keeps a history: the second of its birth since 1970 in the upper half, a random number in the
/// lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Epoch(pub(crate) u64);

/// One message: the epoch in which it was said, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offset {
    pub(crate) epoch: Epoch,
    pub(crate) number: u64,
}

/// For each epoch the number of its latest message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers(BTreeMap<Epoch, u64>);

/// A place in a route's history. As text `6921a3f09f3a61c2:42`, which is opaque to clients; one part for each server that has
/// said something, with dots between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) numbers: Numbers,
    /// Of the epochs that were born up to this second, some of which nothing is kept any more are left out. Behind a tilde.
    pub(crate) horizon: u32,
}

/// It is no position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl Epoch {
    /// When it was born, in seconds since 1970.
    pub(super) fn birth(self) -> u32 {
        u32::try_from(self.0 >> 32).unwrap_or(u32::MAX)
    }
}

impl Numbers {
    pub(super) fn get(&self, epoch: Epoch) -> Option<u64> {
        self.0.get(&epoch).copied()
    }

    /// What came up to this message is known.
    pub(super) fn raise(&mut self, Offset { epoch, number }: Offset) {
        let known = self.0.entry(epoch).or_default();
        *known = number.max(*known);
    }

    /// Nothing is known of this epoch.
    pub(super) fn remove(&mut self, epoch: Epoch) {
        self.0.remove(&epoch);
    }

    /// Whether it knows of this message.
    pub(super) fn has(&self, offset: Offset) -> bool {
        self.get(offset.epoch).is_some_and(|number| number >= offset.number)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Offset> {
        self.0.iter().map(|(&epoch, &number)| Offset { epoch, number })
    }

    pub(super) fn retain(&mut self, mut is_kept: impl FnMut(Offset) -> bool) {
        self.0.retain(|&epoch, &mut number| is_kept(Offset { epoch, number }));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of how many epochs it knows.
    pub(super) fn epochs(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<Offset> for Numbers {
    fn from_iter<T: IntoIterator<Item = Offset>>(offsets: T) -> Self {
        Self(offsets.into_iter().map(|Offset { epoch, number }| (epoch, number)).collect())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Offset { epoch, number }) in self.numbers.iter().enumerate() {
            let separator = if index == 0 { "" } else { "." };
            write!(f, "{separator}{:016x}:{number}", epoch.0)?;
        }
        if self.horizon == 0 { Ok(()) } else { write!(f, "~{:08x}", self.horizon) }
    }
}

impl FromStr for Position {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let (parts, horizon) = match text.split_once('~') {
            Some((parts, horizon)) => (parts, u32::from_str_radix(horizon, 16).map_err(|_| Unreadable)?),
            None => (text, 0),
        };
        let mut numbers = Numbers::default();
        for part in parts.split('.') {
            let (epoch, number) = part.split_once(':').ok_or(Unreadable)?;
            let epoch = Epoch(u64::from_str_radix(epoch, 16).map_err(|_| Unreadable)?);
            let number = number.parse().map_err(|_| Unreadable)?;
            numbers.raise(Offset { epoch, number });
            if numbers.0.len() > MOST {
                return Err(Unreadable);
            }
        }
        Ok(Self { numbers, horizon })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let offset = |epoch, number| Offset { epoch: Epoch(epoch), number };
        let one = Position { numbers: [offset(0x00c0_ffee, u64::MAX)].into_iter().collect(), horizon: 0 };
        assert_eq!(one.to_string(), "0000000000c0ffee:18446744073709551615");
        assert_eq!(one.to_string().parse(), Ok(one));
        let two = Position { numbers: [offset(2, 0), offset(1, 7)].into_iter().collect(), horizon: 0xfe };
        assert_eq!(two.to_string(), "0000000000000001:7.0000000000000002:0~000000fe");
        assert_eq!(two.to_string().parse(), Ok(two));
        for text in
            ["", ":", "1", "1:", ":1", "g:1", "1:-1", "12345678901234567:1", "1:1:1", "1:1.", "1:1~", "~1"]
        {
            assert_eq!(text.parse::<Position>(), Err(Unreadable), "{text}");
        }
        let many: Vec<_> = (0..=MOST).map(|epoch| format!("{epoch:x}:1")).collect();
        assert_eq!(many.join(".").parse::<Position>(), Err(Unreadable));
    }
}
