//! What is wrong with a pattern, and where.

use std::fmt;

/// A pattern that cannot be used: where it goes wrong and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatternError {
    /// The pattern as it was written.
    pub pattern: String,
    /// The character, counted from 1, that the message is about.
    pub character: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl PatternError {
    /// `byte` is the offset in `pattern` that the message is about.
    pub(super) fn new(pattern: &str, byte: usize, message: impl Into<String>) -> Self {
        let before = pattern.get(..byte).unwrap_or(pattern);
        Self { pattern: pattern.to_owned(), character: before.chars().count() + 1, message: message.into() }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {:?}, character {}: {}", self.pattern, self.character, self.message)
    }
}

impl std::error::Error for PatternError {}
