//! What a step of a scenario waits for.

use std::fmt;

use bytes::Bytes;
use serde_json::Value;

use crate::dialect::replay::difference::{Difference, shown};
use crate::dialect::rules::Match;
use crate::message::Message;
use crate::template::Scope;

/// A message that is expected.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// One that this holds for, and how it was written.
    Match(Match, Value),
    /// A binary one: these bytes, or any.
    Binary(Option<Bytes>),
}

impl Pattern {
    /// Whether the message in scope is one.
    pub(in super::super) fn fits(&self, scope: &mut Scope<'_>) -> bool {
        match (self, scope.message) {
            (Pattern::Match(matching, _), _) => matching.holds(scope),
            (Pattern::Binary(expected), Some(Message::Binary(bytes))) => {
                expected.as_ref().is_none_or(|expected| expected == bytes)
            }
            (Pattern::Binary(_), _) => false,
        }
    }

    /// What differs in the message in scope.
    pub(in super::super) fn differences(&self, scope: &mut Scope<'_>) -> Vec<Difference> {
        let Pattern::Match(matching, _) = self else { return Vec::new() };
        let unmet = matching.unmet(scope).into_iter();
        unmet
            .map(|(path, expected, got)| Difference {
                path,
                recorded: shown(&expected),
                got: got.map_or_else(|| "nothing".to_owned(), |got| shown(&got.to_string())),
            })
            .collect()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Match(_, Value::Object(fields)) if fields.is_empty() => f.write_str("any message"),
            Pattern::Match(_, written) => write!(f, "{written}"),
            Pattern::Binary(None) => f.write_str("a binary message"),
            Pattern::Binary(Some(bytes)) => write!(f, "a certain binary message of {} bytes", bytes.len()),
        }
    }
}
