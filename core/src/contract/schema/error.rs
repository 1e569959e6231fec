//! What is wrong with a schema.

use std::fmt;

/// A schema that cannot be used: where it goes wrong and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaError {
    /// Where in the schema, such as `properties.price.type`. Empty for the whole of it.
    pub path: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl SchemaError {
    /// `location` is an absolute one such as `#/properties/price`.
    pub(super) fn new(location: &str, message: impl Into<String>) -> Self {
        let pointer = location.split_once('#').map_or(location, |(_, pointer)| pointer);
        let names = pointer.split('/').filter(|name| !name.is_empty());
        let path: Vec<String> = names.map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
        Self { path: path.join("."), message: message.into() }
    }

    /// The same about one key further down.
    pub(super) fn at(location: &str, keyword: &str, message: impl Into<String>) -> Self {
        Self::new(&format!("{location}/{keyword}"), message)
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for SchemaError {}
