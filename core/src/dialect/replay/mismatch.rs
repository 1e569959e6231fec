//! A message of a client that is not what a recording or a scenario expects.

use std::fmt;

use super::difference::{Difference, shown};
use crate::message::Message;

/// A message that was not expected, for the log, for those who are told live events, and for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Where the expected message stands: `session.jsonl line 7`, `scenario[2]`.
    pub(crate) place: String,
    /// What was expected; nothing where the client was to say nothing more.
    pub(crate) expected: Option<String>,
    /// What came.
    pub(crate) got: String,
    /// What differs.
    pub(crate) differences: Vec<Difference>,
}

impl Mismatch {
    /// `message` came, and `expected` was to come.
    pub(super) fn new(
        place: String,
        expected: Option<String>,
        message: &Message,
        differences: Vec<Difference>,
    ) -> Self {
        Self { place, expected: expected.map(|text| shown(&text)), got: in_short(message), differences }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(expected) = &self.expected else {
            return write!(f, "{} came from the client, where {} expects nothing more", self.got, self.place);
        };
        write!(f, "{} came from the client, where {} expects {expected}", self.got, self.place)?;
        for (index, difference) in self.differences.iter().enumerate() {
            write!(f, "{} {difference}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// A message in a line of the log.
pub(super) fn in_short(message: &Message) -> String {
    match message {
        Message::Text(text) => shown(text.as_str()),
        Message::Binary(bytes) => format!("{} bytes of binary", bytes.len()),
    }
}
