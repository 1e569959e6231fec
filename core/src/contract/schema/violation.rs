//! What is wrong with a value.

use std::fmt;

/// One rule of a schema that a value breaks. Displays as one line, such as `bids[0].price: expected a number, got text`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Where in the value, such as `bids[0].price`. Empty for the whole of it.
    pub path: String,
    /// The keyword that says so, such as `required`.
    pub keyword: &'static str,
    /// Where the keyword stands, such as `#/properties/bids/items/required`.
    pub schema: String,
    /// What was expected, and what there is instead.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}
