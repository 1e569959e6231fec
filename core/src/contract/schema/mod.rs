//! JSON Schema 2020-12: schemas are compiled once, and messages are validated against them.
//!
//! All keywords of the core, applicator, unevaluated and validation vocabularies are known. `format`, `content…`, `default`,
//! `examples` and the like are annotations: they say something to readers and refuse nothing, which is the specification's
//! default. Unknown keywords are annotations too.
//!
//! A schema is written by the user, a message by a peer: both are bounded. Compiling has limits on the number of subschemas
//! and on the size of regular expressions, validating on the depth and on the steps that one message may take.
//!
//! | File | What it does |
//! |---|---|
//! | `registry.rs` | finds `$id`, `$anchor` and what a reference refers to |
//! | `uri.rs` | resolves references of RFC 3986 |
//! | `compiler.rs`, `keywords.rs` | make a list of nodes of a schema |
//! | `pattern.rs` | translates regular expressions of ECMA-262 |
//! | `validator/` | holds a value to the nodes |
//! | `number.rs`, `equality.rs` | numbers as exact as they are written, equality of JSON |
//!
//! `cargo xtask test --schemas` holds it to the official test suite; what passes stands in `README.md` beside this file.

mod compiler;
mod equality;
mod error;
mod evaluated;
mod keywords;
mod node;
mod number;
mod pattern;
mod registry;
mod uri;
mod validator;
mod violation;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use compiler::Compiler;
use node::{Node, NodeId};
use registry::Registry;
use validator::Validator;

pub use error::SchemaError;
pub use violation::Violation;

/// A compiled schema. Cloning is cheap.
///
/// ```
/// use serde_json::json;
/// use switchboard_core::contract::Schema;
///
/// let schema = Schema::new(&json!({ "properties": { "price": { "type": "number" } }, "required": ["price"] }))?;
/// assert!(schema.validate(&json!({ "price": 4.5 })).is_empty());
/// assert_eq!(schema.validate(&json!({ "price": "4.5" }))[0].to_string(), "price: expected a number, got text");
///
/// let error = Schema::new(&json!({ "type": "nmuber" })).unwrap_err();
/// assert_eq!(error.path, "type");
/// # Ok::<(), switchboard_core::contract::SchemaError>(())
/// ```
#[derive(Clone)]
pub struct Schema {
    nodes: Arc<[Node]>,
    root: NodeId,
    /// Of each schema resource: the nodes of its `$dynamicAnchor`s.
    dynamic_anchors: Arc<[BTreeMap<String, NodeId>]>,
}

impl Schema {
    /// The most subschemas that a schema may have, with everything it refers to.
    pub const MAX_NODES: usize = 100_000;
    /// How deep subschemas may apply one another while a value is validated.
    pub const MAX_DEPTH: usize = 400;
    /// The most steps that validating one value may take: about one for each keyword of each subschema that is applied.
    pub const MAX_STEPS: u64 = 10_000_000;
    /// The most violations that are reported of one value.
    pub const MAX_VIOLATIONS: usize = 10;

    /// Compiles a schema that refers to nothing outside.
    ///
    /// # Errors
    ///
    /// A keyword has a value that it cannot have, a reference leads nowhere, a regular expression is not one, or the schema
    /// is too large.
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        Self::within(schema, "", &BTreeMap::new())
    }

    /// Compiles the schema at `pointer` (RFC 6901, such as `/components/schemas/Order`) of a document, with references to
    /// other documents, which are given by their URIs.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); nor is there anything at `pointer`.
    pub fn within(
        document: &Value,
        pointer: &str,
        others: &BTreeMap<String, Value>,
    ) -> Result<Self, SchemaError> {
        let mut registry = Registry::new(document)?;
        for (uri, other) in others {
            registry.add(uri, other)?;
        }
        Compiler::new(registry).compile(pointer)
    }

    /// What is wrong with a value; empty if nothing is. At most [`MAX_VIOLATIONS`](Self::MAX_VIOLATIONS).
    pub fn validate(&self, value: &Value) -> Vec<Violation> {
        Validator::new(self).validate(value)
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
