//! How far a client is.

use std::fmt;
use std::str::FromStr;

/// A place in a route's history. As text `9f3a61c2:42`, which is opaque to clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Whose numbers these are.
    pub(crate) epoch: u32,
    /// The number of the latest message that is known.
    pub(crate) number: u64,
}

/// It is no position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}:{}", self.epoch, self.number)
    }
}

impl FromStr for Position {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let (epoch, number) = text.split_once(':').ok_or(Unreadable)?;
        let epoch = u32::from_str_radix(epoch, 16).map_err(|_| Unreadable)?;
        Ok(Self { epoch, number: number.parse().map_err(|_| Unreadable)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let position = Position { epoch: 0x00c0_ffee, number: u64::MAX };
        assert_eq!(position.to_string(), "00c0ffee:18446744073709551615");
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", ":", "1", "1:", ":1", "g:1", "1:-1", "123456789:1", "1:1:1"] {
            assert_eq!(text.parse::<Position>(), Err(Unreadable), "{text}");
        }
    }
}
